"""What the recorder does: gates in Redis, rows in the database, ``committed`` and questions to the agents.

Redis and the database are independent: one that is down never stops the other's work. Each is tried anew with every
batch, so both recover by themselves.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from datetime import timedelta
from typing import Final, Protocol

import structlog

from gateway.archive import Archive, HistorySeen
from gateway.broker import BrokerRefused
from gateway.crash import point
from gateway.intake import Intake
from gateway.ledger import Answer, Ledger, utc_now
from gateway.ledger_questions import Unresolved
from gateway.liveness import Liveness
from gateway.protocol.errors import Unavailable
from gateway.protocol.history import Committed
from gateway.protocol.messages import Message
from gateway.protocol.topics import DEVICE_REMOVED, CommittedTopic, Topic
from gateway.questions import PER_ROUND, Questions
from gateway.silences import Silences, SilenceWatch
from gateway.sites import BeatSeen, DescriptionSeen, SiteRecord, Sites, StatusSeen
from gateway.unsaved import UnsavedStates

log = structlog.get_logger(__name__)

#: Answers of one transaction; the facade waits for its end.
SETTLE: Final = 256
SWEEP_S: Final = 1.0
#: An ack may be on its way for this long after the deadline before the ledger calls a command unknown.
GRACE_S: Final = 5.0
FLUSH_S: Final = 5.0
#: States are gathered for this long, the last of each device; whoever looks at a device sees it within a second.
STATES_S: Final = 0.25
#: Between two looks for commands to ask about.
ASK_S: Final = 0.5
#: A question that the broker cannot hand over by then comes again.
QUESTION_EXPIRY_S: Final = 10
#: While the database is away (I15).
UNSAVED_DESCRIPTIONS: Final = 20_000


class Publish(Protocol):
    """As :meth:`gateway.broker.BrokerLink.publish`."""

    def __call__(self, topic: Topic, message: Message, *, expiry_s: int | None = None) -> object:
        """Hand a message to the broker now, or never."""


class Bookkeeper:
    """For one thread. ``publish`` hands a message to the broker and may raise Unavailable or BrokerRefused."""

    def __init__(
        self,
        *,
        ledger: Ledger,
        sites: Sites,
        liveness: Liveness,
        archive: Archive,
        publish: Publish,
        leads: bool = True,
    ) -> None:
        self._ledger = ledger
        self._sites = sites
        self._liveness = liveness
        self._archive = archive
        self._publish = publish
        #: Whether the agents are asked what became of commands, and silences are noted; one gateway does.
        self._leads = leads
        self._unresolved = Unresolved(ledger.engine)
        self._questions = Questions(expiry_s=liveness.expiry_s)
        #: The last beat of each site since the last flush.
        self._unsaved: dict[str, BeatSeen] = {}
        self._unsaved_states = UnsavedStates()
        #: What sites and devices said last while the database was away; agents say it again only when they connect.
        self._unsaved_statuses: dict[str, StatusSeen] = {}
        self._unsaved_descriptions: dict[tuple[str, str], DescriptionSeen] = {}
        self._silence_watch = SilenceWatch(timedelta(seconds=liveness.expiry_s))
        self._silences = Silences(ledger.engine)
        #: Gates that could not be closed yet -> epoch that has ended.
        self._unforgotten: dict[str, int] = {}
        self._down: set[str] = set()
        self._tables_minded = True
        self._sweep_at_s = self._flush_at_s = self._states_at_s = self._ask_at_s = 0.0

    def recall(self, records: Sequence[SiteRecord]) -> None:
        """What the database knows of the sites; before anything is kept."""
        self._silence_watch.recall(records)

    def keep(self, intake: Intake) -> None:
        """Gates first: they are quick, and they are what must not be late."""
        self._unforgotten.update(intake.ended)
        self._try(lambda: self._mind_gates(intake))
        self._unsaved.update(intake.last_beats)
        for state in intake.states:
            self._unsaved_states.add(state)
        self._unsaved_statuses.update({each.site: each for each in intake.statuses})
        self._unsaved_descriptions.update({(each.site, each.device): each for each in intake.descriptions})
        while len(self._unsaved_descriptions) > UNSAVED_DESCRIPTIONS:  # the oldest come again with the next connect
            del self._unsaved_descriptions[next(iter(self._unsaved_descriptions))]
        self._note_links(intake)
        self._tables_minded = self._try(lambda: self._mind_tables(intake))

    def chores(self) -> None:
        """What falls due by time: the sweep of commands without an answer, questions, and the flush of beats."""
        if self._tables_minded:  # otherwise this would only wait for the same database once more
            now_s = time.monotonic()
            self._try(lambda: self._when_due(now_s))

    def flush(self) -> None:
        """Save the beats that are not saved yet."""
        self._try(self._save_states)
        self._try(lambda: self._save_beats(tuple(self._unsaved)))
        self._try(self._save_silences)

    def _try(self, work: Callable[[], None]) -> bool:
        """Do what can be done; a part that is down is reported once, and once when it is back."""
        try:
            work()
        except Unavailable as error:
            if error.part not in self._down:
                self._down.add(error.part)
                log.error("part-down", part=error.part, detail=error.detail)
            return False
        return True

    def _is_up(self, part: str) -> None:
        if part in self._down:
            self._down.discard(part)
            log.info("part-back", part=part)

    def _mind_gates(self, intake: Intake) -> None:
        if not self._unforgotten and not intake.beats:
            return
        if self._unforgotten:
            self._liveness.forget_many(self._unforgotten)
            self._unforgotten.clear()
        if intake.beats:
            self._liveness.beat_many(intake.beats)
            # Not before: a beat that Redis did not take has opened no gate.
            self._silence_watch.heard(intake.last_beats)
        self._is_up("redis")

    def _mind_tables(self, intake: Intake) -> None:
        """Raises Unavailable at the first failure: the rest would only wait for the same database."""
        if intake.asked:
            self._ledger.record(intake.asked)
        for start in range(0, len(intake.answers), SETTLE):
            self._settle(intake.answers[start : start + SETTLE])
        if self._unsaved_statuses:
            self._sites.save_status(list(self._unsaved_statuses.values()))
            self._unsaved_statuses.clear()
        if intake.ended:
            self._save_beats(intake.ended)
        if self._unsaved_descriptions:
            self._sites.save_descriptions(list(self._unsaved_descriptions.values()))
            self._unsaved_descriptions.clear()
        if intake.histories:
            self._keep_history(intake.histories)
        if intake.asked or intake.answers or intake.statuses or intake.descriptions or intake.histories:
            self._is_up("database")

    def _note_links(self, intake: Intake) -> None:
        now_s = time.monotonic()
        for site, beat in intake.last_beats.items():
            self._questions.heard(site, beat.heartbeat.epoch, now_s)
        for site, epoch in intake.ended.items():
            self._questions.ended(site, epoch)

    def _settle(self, answers: list[Answer]) -> None:
        held = self._ledger.settle(answers)
        point("gateway-committed")
        # The commit is behind us, and only now may an agent forget; also what was there already is named,
        # since the agent repeats it because it has missed an earlier ``committed``.
        named: defaultdict[str, set[str]] = defaultdict(set)
        for each in answers:
            if each.ack.id in held:
                named[each.site].add(each.ack.id)
        for site, ids in named.items():
            try:
                self._publish(CommittedTopic(site), Committed(commands=tuple(sorted(ids))))
            except Unavailable:
                return  # the agents will repeat their acks
            point("gateway-told")

    def _keep_history(self, seen: Sequence[HistorySeen]) -> None:
        """After the commit the agents may forget these batches, and not before (I8)."""
        self._archive.keep(seen)
        point("gateway-kept-history")
        for each in seen:
            for event in each.history.events:
                if event.name == DEVICE_REMOVED:
                    self._unsaved_states.forget(each.site, event.device, event.at)
        named: defaultdict[str, list[str]] = defaultdict(list)
        for each in seen:
            named[each.site].append(each.history.batch)
        for site, batches in named.items():
            try:
                self._publish(CommittedTopic(site), Committed(batches=tuple(batches)))
            except Unavailable:
                return  # they come again
            point("gateway-told-history")

    def _ask(self, now_s: float) -> None:
        for site in self._questions.due(self._unresolved.sites(), now_s):
            page = self._unresolved.page(site, after=self._questions.cursor(site), limit=PER_ROUND)
            for each in self._questions.choose(site, page, now_s):
                try:
                    self._publish(each.topic, each.command, expiry_s=QUESTION_EXPIRY_S)
                except Unavailable:
                    return  # nothing is lost: what was not asked stays due
                except BrokerRefused as error:
                    log.error("question-refused", command=each.id, error=str(error))
                self._questions.asked(each, now_s)

    def _save_beats(self, sites: Iterable[str]) -> None:
        beats = [self._unsaved[site] for site in sites if site in self._unsaved]
        if beats:
            self._sites.save_beats(beats)
            for each in beats:
                del self._unsaved[each.site]
            self._is_up("database")

    def _save_silences(self) -> None:
        """Before the beats that ended them: what is lost in between is found again by the next gateway."""
        ended = self._silence_watch.ended
        if self._leads:
            self._silences.save(ended)
        self._silence_watch.forget(ended)

    def _save_states(self) -> None:
        if self._unsaved_states:
            self._sites.save_states(self._unsaved_states.all())
            self._unsaved_states.clear()
            self._is_up("database")

    def _when_due(self, now_s: float) -> None:
        # The next time is set first: a database that is down is not asked more often than one that is up.
        if now_s >= self._sweep_at_s:
            self._sweep_at_s = now_s + SWEEP_S
            count = self._ledger.overdue(utc_now(), GRACE_S)
            self._is_up("database")
            if count:
                log.warning("commands-without-answer", count=count)
        if self._leads and now_s >= self._ask_at_s:
            self._ask_at_s = now_s + ASK_S
            self._ask(now_s)
        if now_s >= self._states_at_s:
            self._states_at_s = now_s + STATES_S
            self._save_states()
        if now_s >= self._flush_at_s:
            self._flush_at_s = now_s + FLUSH_S
            self._save_silences()
            self._save_beats(tuple(self._unsaved))
