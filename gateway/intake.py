"""What some messages mean for gates and tables: bytes in, typed lists out, nothing touched.

The subscriptions stand here too, each beside what becomes of its messages.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, Final

import structlog

from gateway.archive import HistorySeen
from gateway.broker import Incoming
from gateway.epochs import Epochs
from gateway.fair_queue import sender_of
from gateway.ledger import Answer, Asked
from gateway.protocol.codec import decode
from gateway.protocol.deadline import UNANCHORED_TTL_S
from gateway.protocol.description import Description
from gateway.protocol.errors import DecodeError
from gateway.protocol.history import History
from gateway.protocol.ids import is_facade
from gateway.protocol.messages import Ack, Alarm, Command, DeviceState, Heartbeat, SiteState, Status
from gateway.protocol.topics import (
    CANCEL,
    HOST,
    AckTopic,
    CommandTopic,
    DescriptionTopic,
    HeartbeatTopic,
    HistoryTopic,
    HostAlarmTopic,
    StateTopic,
    StatusTopic,
    Topic,
    parse,
)
from gateway.restraint import Restraint
from gateway.sites import BeatSeen, DescriptionSeen, StateSeen, StatusSeen

log = structlog.get_logger(__name__)

#: A beat that waited for longer, in our own queue too, proves nothing.
BEAT_AGE_S: Final = HeartbeatTopic.expiry_s or 0


class Intake:
    """One batch of messages, taken in the order in which they came; ``now`` is wall time, ``now_s`` monotonic.

    ``restraint`` is kept from one batch to the next.
    """

    def __init__(self, epochs: Epochs, restraint: Restraint, *, now: datetime, now_s: float) -> None:
        self._epochs = epochs
        self._restraint = restraint
        self._now = now
        self._now_s = now_s
        #: Live beats as (site, bytes): each one is written to Redis.
        self.beats: list[tuple[str, bytes]] = []
        #: Sites whose connection has ended -> its epoch.
        self.ended: dict[str, int] = {}
        #: The last beat of each site that beat.
        self.last_beats: dict[str, BeatSeen] = {}
        self.statuses: list[StatusSeen] = []
        self.descriptions: list[DescriptionSeen] = []
        self.states: list[StateSeen] = []
        #: Batches of what happened, with their sites.
        self.histories: list[HistorySeen] = []
        #: What the broker still holds of what we told of silent sites.
        self.host_alarms: dict[HostAlarmTopic, Alarm] = {}
        self.asked: list[Asked] = []
        self.answers: list[Answer] = []
        self.undecodable = 0

    def take(self, incoming: Incoming) -> None:
        """Sort one message in; one that cannot be read is counted, logged and dropped."""
        try:
            topic = parse(incoming.topic)
            handler = _HANDLERS.get(type(topic))
            if handler is not None:
                handler(self, topic, incoming)
        except DecodeError as error:
            self.undecodable += 1
            self._complain("undecodable-message-dropped", incoming, topic=error.topic, error=str(error)[:500])

    def _complain(self, what: str, incoming: Incoming, **more: str) -> None:
        """In the log, as far as this sender has not filled enough of it already."""
        if self._restraint.words.take(sender_of(incoming.topic), 1, self._now_s):
            log.warning(what, **more)

    def _heartbeat(self, topic: HeartbeatTopic, incoming: Incoming) -> None:
        if incoming.retained or self._now_s - incoming.received_s > BEAT_AGE_S:
            return
        site = topic.site
        beat = decode(Heartbeat, incoming.topic, incoming.payload)
        if self._epochs.take_beat(site, beat):
            self.beats.append((site, incoming.payload))
            self.last_beats[site] = BeatSeen(site=site, heartbeat=beat, at=self._now)

    def _status(self, topic: StatusTopic, incoming: Incoming) -> None:
        if not incoming.payload:  # somebody has cleared the retained topic
            return
        site = topic.site
        status = decode(Status, incoming.topic, incoming.payload)
        if not self._epochs.take_status(site, status, retained=incoming.retained):
            return
        self.statuses.append(StatusSeen(site=site, status=status, at=self._now))
        if status.state is not SiteState.ONLINE:
            self.ended[site] = status.epoch
            if site in self.last_beats:
                self.beats = [each for each in self.beats if each[0] != site]

    def _description(self, topic: DescriptionTopic, incoming: Incoming) -> None:
        if not incoming.payload:
            return
        decode(Description, incoming.topic, incoming.payload)
        self.descriptions.append(
            DescriptionSeen(
                site=topic.site,
                device=topic.device,
                payload=incoming.payload,
                epoch=self._epochs.highest(topic.site),
                at=self._now,
            )
        )

    def _state(self, topic: StateTopic, incoming: Incoming) -> None:
        if not incoming.payload:
            return
        self.states.append(
            StateSeen(
                site=topic.site,
                device=topic.device,
                state=decode(DeviceState, incoming.topic, incoming.payload),
                payload=incoming.payload,
                retained=incoming.retained,
                epoch=self._epochs.highest(topic.site),
                at=self._now,
            )
        )

    def _history(self, topic: HistoryTopic, incoming: Incoming) -> None:
        if incoming.retained:
            return
        if not self._restraint.history.take(topic.site, len(incoming.payload), self._now_s):
            self._complain("history-beyond-its-share-dropped", incoming, site=topic.site)
            return
        history = decode(History, incoming.topic, incoming.payload)
        self.histories.append(HistorySeen(site=topic.site, history=history, at=self._now))

    def _host_alarm(self, topic: HostAlarmTopic, incoming: Incoming) -> None:
        if incoming.retained and incoming.payload:
            self.host_alarms[topic] = decode(Alarm, incoming.topic, incoming.payload)

    def _command(self, topic: CommandTopic, incoming: Incoming) -> None:
        # The facade has written its own before it published them. A retained one no agent obeys. A question is our own,
        # and whoever cancels a command asks for no other.
        if incoming.retained or is_facade(topic.requester) or topic.requester == HOST or topic.name == CANCEL:
            return
        command = decode(Command, incoming.topic, incoming.payload)
        if command.id is None:  # the agent gives it one; the ack will tell
            return
        self.asked.append(
            Asked(
                id=command.id,
                site=topic.site,
                device=topic.device,
                name=topic.name,
                requester=topic.requester,
                actor=None,  # believed only from the facade
                reason=command.reason,
                input=command.input,
                expect_revision=None if command.expect is None else command.expect.revision,
                # By our clock: the requester's own proves nothing, and the agent counts from receipt as well.
                issued_at=self._now,
                ttl_s=min(command.ttl_s, UNANCHORED_TTL_S),
                source_address=None,
                asked_epoch=self._epochs.highest(topic.site) or None,
                published_at=self._now,
            )
        )

    def _ack(self, topic: AckTopic, incoming: Incoming) -> None:
        if incoming.retained:
            return
        if topic.requester == HOST:  # nothing is commanded in our own name; the agent did not like a question
            self._complain("question-refused-by-agent", incoming, site=topic.site, command=topic.id)
            return
        ack = decode(Ack, incoming.topic, incoming.payload)
        if ack.id != topic.id:
            self._complain("ack-of-another-id-dropped", incoming, site=topic.site, topic_id=topic.id, id=ack.id)
            return
        if not is_facade(topic.requester):
            ack = ack.model_copy(update={"actor": None})
        self.answers.append(Answer(site=topic.site, requester=topic.requester, ack=ack))


_HANDLERS: Final[dict[type[Topic], Callable[[Intake, Any, Incoming], None]]] = {
    StatusTopic: Intake._status,
    HeartbeatTopic: Intake._heartbeat,
    DescriptionTopic: Intake._description,
    StateTopic: Intake._state,
    CommandTopic: Intake._command,
    AckTopic: Intake._ack,
    HistoryTopic: Intake._history,
    HostAlarmTopic: Intake._host_alarm,
}
#: Each batch of history goes to one of the gateways that run; all of them hear the rest.
_SHARED: Final = f"$share/gateways/{HistoryTopic.filter()}"
SUBSCRIPTIONS: Final = (
    *(topic.filter() for topic in _HANDLERS if topic not in {HeartbeatTopic, HistoryTopic}),
    _SHARED,
)
#: A beat that the broker could not hand over at once is not worth a confirmation; the next one comes by itself.
FLEETING: Final = (HeartbeatTopic.filter(),)
