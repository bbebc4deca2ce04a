"""The agent's composition root: puts the parts together and runs them until it is told to stop."""

from __future__ import annotations

import asyncio
import contextlib
import random
import secrets
import time
from datetime import timedelta

import structlog
from pydantic import SecretStr

from gateway.protocol.backoff import delays
from gateway.protocol.errors import TidegateError, Unavailable
from gateway.protocol.messages import Ack, DeviceState, Event, Message
from gateway.protocol.topics import DEVICE_REMOVED, AckTopic, AlarmTopic, EventTopic, StateTopic, Topic
from gateway.tls import Tls
from site_agent import clock, supervision
from site_agent.alarm_watch import AlarmWatch, Turn
from site_agent.attention import EVERY_S, SLEEP_S, Attention
from site_agent.change import changed_plcs
from site_agent.configuration import AgentTable, SiteConfiguration
from site_agent.conversation import Conversation, EpochBehind, Parts, TwinFound
from site_agent.deadline import SentBeats
from site_agent.epoch import EpochFile, next_epoch
from site_agent.equipment import Equipment, Listeners
from site_agent.executor import Executor
from site_agent.file_watch import FileWatch
from site_agent.identity import Identity
from site_agent.journal import Journal
from site_agent.link import Login, PublishRefused, Session, connected
from site_agent.outbox import Bounds, Outbox
from site_agent.renewal import keep_renewed
from site_agent.sealing.custody import Custody, Taken

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
    """One site, as it ``began``, and as its file says from then on. Nothing starts before ``run``."""

    def __init__(self, custody: Custody, began: Taken, password: SecretStr | None) -> None:
        self._custody = custody
        self._began = began
        self._configuration = configuration = began.configuration
        self._site = configuration.site
        broker, folder = configuration.broker, configuration.agent.folder
        self._identity = None if broker.identity is None else Identity(broker.identity)
        self._login = Login(
            host=broker.host,
            port=broker.port,
            username=self._site,
            password=password,
            keepalive_s=broker.keepalive_s,
            tls=self._identity.tls if self._identity else Tls(authority=broker.ca_file) if broker.ca_file else None,
        )
        self._epochs = EpochFile(folder / "epoch")
        self._journal = Journal(folder / "journal.db")
        self._outbox = Outbox(folder / "outbox.db", _bounds(configuration.agent))
        self._alarms = AlarmWatch(on_turn=self._turn, on_feeding=self._outbox.put_feeding)
        self._equipment = Equipment(
            configuration,
            Listeners(
                on_link=self._nudge,
                on_state=self._publish_state,
                on_event=self._publish_event,
                on_values=self._alarms.see,
                on_lost=self._alarms.lose,
                on_samples=self._outbox.keep,
                doubtful=lambda device: self._executor.doubtful(device),  # noqa: PLW0108 # it is made below
            ),
        )
        self._beats = SentBeats()
        self._attention = Attention(clock.elapsed_s())
        self._executor = Executor(
            site=self._site,
            devices=self._equipment.devices,
            lanes=self._equipment.lanes,
            journal=self._journal,
            beats=self._beats,
            attention=self._attention,
            outlet=self,
            held=self._equipment.held,
            on_read=self._equipment.learn,
            on_seen=self._equipment.notice,
        )
        self._parts = Parts(
            site=self._site,
            boot=secrets.token_hex(8),
            heartbeat_s=configuration.agent.heartbeat_s,
            devices=self._equipment.devices,
            states=self._equipment.states,
            plcs=self._equipment.links,
            trouble=lambda: self._trouble,
            beats=self._beats,
            executor=self._executor,
            alarms=self._alarms,
            outbox=self._outbox,
        )
        #: What is wrong with the site's file, for those who look from afar.
        self._trouble = began.trouble
        self._conversation: Conversation | None = None
        self._session: Session | None = None

    async def run(self, stop: asyncio.Event) -> None:
        """Serve the site until ``stop`` is set; then finish what is being written, and say so.

        Raises:
            Unavailable: the journal cannot be opened.
        """
        left = await self._journal.open()
        self._alarms.recall(*await self._outbox.open())
        self._alarms.watch(self._equipment.devices.values())
        log.info("agent-started", site=self._site, boot=self._parts.boot, open_commands=len(left))
        try:
            async with asyncio.TaskGroup() as group:
                plcs = [*self._equipment.lanes]
                self._equipment.start_lanes(group, plcs)
                await self._executor.start(left)
                self._equipment.start_polls(group, plcs)
                watching = group.create_task(self._watch_files(group))
                tasks = [group.create_task(self._watch_alarms())]
                tasks += [group.create_task(self._stay_awake()), group.create_task(self._forget())]
                tasks += [group.create_task(self._stay_connected()), group.create_task(supervision.stay_watched())]
                tasks += [] if self._identity is None else [group.create_task(keep_renewed(self._identity))]
                supervision.tell("READY=1")
                await stop.wait()
                supervision.tell("STOPPING=1")
                watching.cancel()
                await asyncio.wait([watching])
                await self._wind_down()
                for task in tasks:
                    task.cancel()
                await self._equipment.stop()
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

    def _nudge(self) -> None:
        if self._conversation is not None:
            self._conversation.nudge()

    def _publish_state(self, device: str, state: DeviceState) -> None:
        if self._conversation is not None:
            with contextlib.suppress(Unavailable):
                self._conversation.send(StateTopic(self._site, device), state)

    def _publish_event(self, device: str, name: str, event: Event) -> None:
        _log_event(device, name, event)
        # On disk first: what was told live is at the centre in the end, whatever dies in between.
        self._outbox.add(device, name, event, lambda: self._send(EventTopic(self._site, device, name), event))

    def _send(self, topic: Topic, message: Message | None) -> None:
        if self._conversation is not None:
            with contextlib.suppress(Unavailable):
                self._conversation.send(topic, message)

    def _turn(self, turn: Turn) -> None:
        """An alarm is raised or over."""
        topic = AlarmTopic(self._site, turn.device, turn.name)
        self._outbox.put_alarm(turn.device, turn.name, turn.alarm, lambda: self._send(topic, turn.alarm))
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

    async def _watch_files(self, group: asyncio.TaskGroup) -> None:
        async def take_over(fresh: SiteConfiguration) -> None:
            for plcs in changed_plcs(self._configuration, fresh):
                await self._replace(group, plcs, fresh)
            self._configuration = fresh

        watch = FileWatch(self._custody, self._began, take_over=take_over, on_trouble=self._tell_trouble)
        await watch.run()

    async def _replace(self, group: asyncio.TaskGroup, plcs: frozenset[str], fresh: SiteConfiguration) -> None:
        """These PLCs, with their devices, are from now on as the changed file has them."""
        equipment = self._equipment
        gone = {each.id for each in equipment.devices.values() if each.plc in plcs}
        wanted = {each.id for each in fresh.devices if each.plc in plcs}
        log.info("site-file-taken-over", plcs=sorted(plcs), devices=sorted(wanted), gone=sorted(gone - wanted))
        async with self._executor.replacing(gone | wanted):
            await equipment.stop_polls(plcs)
            await equipment.stop_lanes(plcs)
            equipment.install(fresh, plcs)
            equipment.start_lanes(group, plcs & equipment.lanes.keys())
        equipment.start_polls(group, plcs & equipment.lanes.keys())
        self._alarms.watch(equipment.devices.values())
        for each in sorted(gone - equipment.devices.keys()):
            event = Event(at=clock.wall(), detail="the site's file does not name it any more")
            self._publish_event(each, DEVICE_REMOVED, event)
        if self._conversation is not None:
            with contextlib.suppress(Unavailable):
                self._conversation.introduce(gone | wanted)

    def _tell_trouble(self, trouble: str) -> None:
        self._trouble = trouble
        if self._conversation is not None:
            with contextlib.suppress(Unavailable):
                self._conversation.restate()

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


def _bounds(table: AgentTable) -> Bounds:
    return Bounds(samples=table.outbox_samples, longest=timedelta(days=table.outbox_days), per_s=table.catch_up_per_s)


def _log_event(device: str, name: str, event: Event) -> None:
    if event.active is None:
        log.info("event", device=device, name=name, detail=event.detail)
    else:
        tell = log.warning if event.active else log.info
        turned = "alarm-raised" if event.active else "alarm-cleared"
        tell(turned, device=device, name=name, severity=event.severity, detail=event.detail or event.title)


def _behind(errors: BaseExceptionGroup[BaseException]) -> int:
    found = _first(errors)
    return found.epoch if isinstance(found, EpochBehind) else 0


def _first(errors: BaseExceptionGroup[BaseException]) -> BaseException:
    first = errors.exceptions[0]
    return _first(first) if isinstance(first, BaseExceptionGroup) else first
