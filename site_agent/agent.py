"""The agent's composition root: puts the parts together and runs them until it is told to stop."""

from __future__ import annotations

import asyncio
import contextlib
import random
import secrets
import time
from collections.abc import Mapping

import structlog
from pydantic import SecretStr

from gateway.protocol.backoff import delays
from gateway.protocol.errors import TidegateError, Unavailable
from gateway.protocol.messages import Ack, DeviceState, Event, PlcLink
from gateway.protocol.topics import AckTopic, AlarmTopic, EventTopic, StateTopic
from site_agent import clock
from site_agent.alarm_watch import AlarmWatch, Turn
from site_agent.attention import EVERY_S, SLEEP_S, Attention
from site_agent.configuration import SiteConfiguration
from site_agent.conversation import Conversation, EpochBehind, Parts, TwinFound
from site_agent.deadline import SentBeats
from site_agent.device import Device
from site_agent.drivers.modbus import ModbusDriver
from site_agent.epoch import EpochFile, next_epoch
from site_agent.executor import Executor
from site_agent.journal import Journal
from site_agent.lane import Lane
from site_agent.link import Login, PublishRefused, Session, connected
from site_agent.marker import Marker
from site_agent.outbox import Outbox
from site_agent.plc_table import PlcTable
from site_agent.poller import Poller
from site_agent.watchdog import Watchdog

#: A write under way gets this long to end when the agent is told to stop.
STOP_TIMEOUT_S = 15.0
#: A connection that held this long was a good one: the next back-off starts from the beginning.
_HELD_S = 5.0
_DISK_RETRY_S = 5.0
#: An alarm that waits for its delay is looked at so often.
ALARM_TICK_S = 0.5
_FORGET_EVERY_S = 3_600.0

log = structlog.get_logger(__name__)


class Agent:
    """One site. Nothing starts before ``run``."""

    def __init__(self, configuration: SiteConfiguration, password: SecretStr) -> None:
        self._configuration = configuration
        self._site = configuration.site
        broker, folder = configuration.broker, configuration.agent.folder
        self._login = Login(
            host=broker.host,
            port=broker.port,
            username=self._site,
            password=password,
            keepalive_s=broker.keepalive_s,
        )
        self._epochs = EpochFile(folder / "epoch")
        self._journal = Journal(folder / "journal.db")
        self._outbox = Outbox(folder / "outbox.db")
        self._alarms = AlarmWatch(on_turn=self._turn, on_feeding=self._outbox.put_feeding)
        reads = {plc.name: plc.reads for plc in configuration.plcs}
        self._devices = {
            table.id: Device(self._site, table, reads[table.plc], time_zone=configuration.time_zone)
            for table in configuration.devices
        }
        self._lanes = {plc.name: self._lane(plc) for plc in configuration.plcs}
        self._pollers = {plc.name: self._poller(plc) for plc in configuration.plcs}
        self._watchdogs = [
            Watchdog(self._lanes[device.plc], device.mailbox.register_, device.mailbox.watchdog_s)
            for device in self._devices.values()
            if device.mailbox is not None and device.mailbox.watchdog_s
        ]
        self._beats = SentBeats()
        self._attention = Attention(clock.elapsed_s())
        self._executor = Executor(
            site=self._site,
            devices=self._devices,
            lanes=self._lanes,
            journal=self._journal,
            beats=self._beats,
            attention=self._attention,
            outlet=self,
            held=self._held,
            on_read=lambda device, values: self._pollers[self._devices[device].plc].learn(device, values),
            on_seen=lambda device, values: self._pollers[self._devices[device].plc].notice(device, values),
        )
        self._parts = Parts(
            site=self._site,
            boot=secrets.token_hex(8),
            heartbeat_s=configuration.agent.heartbeat_s,
            devices=self._devices,
            states=self._states,
            plcs=self._links,
            beats=self._beats,
            executor=self._executor,
            alarms=self._alarms,
            outbox=self._outbox,
        )
        self._conversation: Conversation | None = None
        self._session: Session | None = None

    async def run(self, stop: asyncio.Event) -> None:
        """Serve the site until ``stop`` is set; then finish what is being written, and say so.

        Raises:
            Unavailable: the journal cannot be opened.
        """
        left = await self._journal.open()
        self._alarms.recall(*await self._outbox.open())
        self._alarms.watch(self._devices.values())
        log.info("agent-started", site=self._site, boot=self._parts.boot, open_commands=len(left))
        try:
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(lane.run(), name=lane.name) for lane in self._lanes.values()]
                await self._executor.start(left)
                tasks += [group.create_task(poller.run()) for poller in self._pollers.values()]
                tasks += [group.create_task(each.run()) for each in self._watchdogs]
                tasks += [group.create_task(self._watch_alarms())]
                tasks += [group.create_task(self._stay_awake()), group.create_task(self._forget())]
                tasks += [group.create_task(self._stay_connected())]
                await stop.wait()
                await self._wind_down()
                for task in tasks:
                    task.cancel()
        finally:
            await self._outbox.close()
            await self._journal.close()
            log.info("agent-stopped", site=self._site)

    def send_ack(self, topic: AckTopic, ack: Ack, *, at: str | None = None, correlation: bytes | None = None) -> None:
        """Publish an ack if connected; an end that the centre has not confirmed is sent again later."""
        if self._session is not None:
            with contextlib.suppress(Unavailable):
                self._session.send(topic, ack, at=at, correlation=correlation)

    # Parts.

    def _lane(self, plc: PlcTable) -> Lane:
        driver = ModbusDriver(plc.wire, plc.unit, plc.timeout_s)
        marker = None if plc.marker is None else Marker.of(plc.marker)
        return Lane(plc.name, driver, settle_s=plc.timeout_s, on_link=self._nudge, marker=marker)

    def _poller(self, plc: PlcTable) -> Poller:
        devices = [device for device in self._devices.values() if device.plc == plc.name]
        return Poller(
            self._lanes[plc.name],
            devices,
            poll_s=plc.poll_s,
            refresh_s=plc.refresh_s,
            on_state=self._publish_state,
            on_event=self._publish_event,
            on_values=self._alarms.see,
            doubtful=lambda device: self._executor.doubtful(device),  # noqa: PLW0108 # it is made after the pollers
        )

    def _states(self) -> Mapping[str, DeviceState]:
        return {name: state for poller in self._pollers.values() for name, state in poller.states.items()}

    def _links(self) -> Mapping[str, PlcLink]:
        return {name: lane.link for name, lane in self._lanes.items()}

    def _held(self, device: str) -> Mapping[str, bool | int | float | str | None]:
        known = self._devices.get(device)
        return self._pollers[known.plc].held(device) if known else {}

    def _nudge(self) -> None:
        if self._conversation is not None:
            self._conversation.nudge()

    def _publish_state(self, device: str, state: DeviceState) -> None:
        if self._conversation is not None:
            with contextlib.suppress(Unavailable):
                self._conversation.send(StateTopic(self._site, device), state)

    def _publish_event(self, device: str, name: str, event: Event) -> None:
        log.info("event", device=device, name=name, detail=event.detail)
        self._outbox.add(device, name, event)
        if self._conversation is not None:
            with contextlib.suppress(Unavailable):
                self._conversation.send(EventTopic(self._site, device, name), event)

    def _turn(self, turn: Turn) -> None:
        """An alarm is raised or over."""
        self._outbox.put_alarm(turn.device, turn.name, turn.alarm)
        if self._conversation is not None:
            with contextlib.suppress(Unavailable):
                self._conversation.send(AlarmTopic(self._site, turn.device, turn.name), turn.alarm)
        self._publish_event(turn.device, turn.name, turn.event)

    # Running.

    async def _stay_connected(self) -> None:
        waits, doubt, floor = delays(random.uniform), None, 0
        while self._executor.closed is None:
            conversation = Conversation(self._parts, await self._raise_epoch(floor), doubt)
            began_s = clock.elapsed_s()
            try:
                await self._converse(conversation)
            except* (Unavailable, PublishRefused) as errors:
                log.warning("broker-lost", cause=str(_first(errors)), epoch=conversation.epoch)
            except* EpochBehind as errors:
                floor = _behind(errors)
                log.warning("epoch-behind", epoch=conversation.epoch, cause=str(_first(errors)))
                await self._disown()
            except* TwinFound as errors:
                # Coming back would only make the two of us fight; a person must remove one.
                self._executor.closed = f"another agent runs as {self._site}"
                self._executor.fenced = True
                log.error("duplicate-agent", site=self._site, cause=str(_first(errors)))
                await self._disown()
            doubt = conversation.doubt
            if clock.elapsed_s() - began_s > _HELD_S:
                waits = delays(random.uniform)
            await asyncio.sleep(next(waits))

    async def _disown(self) -> None:
        """What another agent did under our name, our journal does not know."""
        try:
            await self._journal.disown_epochs()
        except Unavailable as error:
            log.error("journal-unavailable", cause=str(error))

    async def _watch_alarms(self) -> None:
        while True:
            await asyncio.sleep(ALARM_TICK_S)
            self._alarms.tick()

    async def _stay_awake(self) -> None:
        # With and without a connection: to be cut off is no sleep.
        while True:
            await asyncio.sleep(EVERY_S)
            gap_s = self._attention.note(clock.elapsed_s())
            if gap_s > SLEEP_S:
                log.warning("slept", for_s=round(gap_s, 1))
                self._executor.lapse()
                if self._conversation is not None:
                    self._conversation.wake()

    async def _raise_epoch(self, floor: int) -> int:
        while True:
            epoch = next_epoch(stored=self._epochs.read(), retained=floor, unix_s=int(time.time()))
            try:
                self._epochs.store(epoch)
                await self._journal.serve_epoch(epoch)
            except (OSError, Unavailable) as error:
                log.error("epoch-not-stored", cause=str(error))
                await asyncio.sleep(_DISK_RETRY_S)
            else:
                return epoch

    async def _converse(self, conversation: Conversation) -> None:
        will = conversation.will(self._configuration.broker.will_delay_s)
        async with connected(self._login, will, conversation.hear) as session:
            self._conversation, self._session = conversation, session
            try:
                await conversation.hold(session)
            finally:
                self._conversation = self._session = None

    async def _forget(self) -> None:
        while True:
            with contextlib.suppress(Unavailable):
                await self._journal.forget(int(time.time()))
            await asyncio.sleep(_FORGET_EVERY_S)

    async def _wind_down(self) -> None:
        self._executor.closed = "the agent is stopping"
        try:
            async with asyncio.timeout(STOP_TIMEOUT_S):
                await self._executor.idle()
        except TimeoutError:
            log.error("stopped-with-open-commands", cause=f"a PLC did not finish within {STOP_TIMEOUT_S:.0f} s")
        await self._executor.stop()
        if self._conversation is not None:
            try:
                await self._conversation.end("stopped by its operator")
            except TidegateError as error:
                log.warning("stop-not-announced", cause=str(error))


def _behind(errors: BaseExceptionGroup[BaseException]) -> int:
    found = _first(errors)
    return found.epoch if isinstance(found, EpochBehind) else 0


def _first(errors: BaseExceptionGroup[BaseException]) -> BaseException:
    first = errors.exceptions[0]
    return _first(first) if isinstance(first, BaseExceptionGroup) else first
