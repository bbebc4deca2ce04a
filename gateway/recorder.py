"""The gateway's process: what agents report becomes gates in Redis and rows in the database.

The broker's thread only puts messages into a bounded queue; one worker takes all that wait and handles them as a
batch. Nothing is kept that would be missed: agents repeat every ack until ``committed`` names it, and all retained
topics on every connect, so that this process may be killed at any line.
"""

from __future__ import annotations

import contextlib
import math
import secrets
import threading
import time
from collections.abc import Callable
from typing import Final, Literal

import structlog

from gateway import __version__
from gateway.archive import Archive
from gateway.bookkeeper import Bookkeeper
from gateway.broker import BrokerLink, Incoming, Login, Will
from gateway.dark_meals import DarkMeals
from gateway.epochs import Epochs
from gateway.events import Events
from gateway.fair_queue import FairQueue
from gateway.intake import FLEETING, SUBSCRIPTIONS, Intake
from gateway.ledger import Ledger, utc_now
from gateway.liveness import Liveness
from gateway.protocol.errors import TidegateError, Unavailable
from gateway.protocol.messages import HostStatus, SiteState
from gateway.protocol.topics import HOST, HostStatusTopic
from gateway.restraint import Restraint
from gateway.sites import Sites

log = structlog.get_logger(__name__)

#: Messages gather at the broker's socket for this long; nobody waits for our answers.
REST_S: Final = 0.02
#: Everything is gathered for this long: one call to Redis costs as much as ten beats in a call, and by then the facade
#: has mostly committed what an ack says, so that there is nothing left to write.
GATHER_S: Final = 0.05
#: Between two looks at what falls due by time, when nothing arrives.
IDLE_S: Final = 0.25
#: What is handled at once: so little that nobody's beat has to wait for long, however much another site has to say.
BATCH: Final = 5_000
BATCH_BYTES: Final = 512 * 1024
#: With so many waiting, nothing is gathered first.
BACKLOG: Final = 1_000
#: Between two words in the log about messages that could not be read, or were dropped.
REPORT_S: Final = 1.0
#: Between two looks for meals that fell into a silence.
LOOK_S: Final = 5.0
#: Agents beat within a second of our birth; one whose connection broke with ours needs longer.
SETTLE_S: Final = 10.0


class Recorder:
    """From :meth:`start` to :meth:`stop` the one writer of the gate's keys, and one of the ledger's two."""

    def __init__(self, login: Login, *, ledger: Ledger, sites: Sites, liveness: Liveness, events: Events) -> None:
        self._sites = sites
        #: One gateway speaks for the centre; others, of other names, only write down.
        self._leads = login.username == HOST
        self._epochs = Epochs()
        self._boot = secrets.token_hex(8)
        self._since = utc_now()
        self._link = BrokerLink(
            login,
            subscriptions=SUBSCRIPTIONS,
            fleeting=FLEETING,
            rest_s=REST_S,
            on_message=self._enqueue,
            on_connect=self._announce,
            will=Will(topic=HostStatusTopic(), message=self._host_status(SiteState.OFFLINE)) if self._leads else None,
        )
        self._books = Bookkeeper(
            ledger=ledger,
            sites=sites,
            liveness=liveness,
            archive=Archive(ledger.engine, events=events, now=utc_now),
            publish=self._link.publish,
            leads=self._leads,
        )
        self._meals = DarkMeals(sites=sites, events=events, publish=self._link.publish, expiry_s=liveness.expiry_s)
        #: Who has not beaten by then after a connect is silent; before, it is we who have not listened.
        self._settled_s = 2 * liveness.expiry_s + SETTLE_S
        self._connected_s = math.inf
        self._relinked = False
        self._look_at_s = 0.0
        self._worker = threading.Thread(target=self._work, name="recorder", daemon=True)
        self._stopping = threading.Event()
        self._arrived = threading.Event()
        # What is dropped comes again: a beat in 20 s, an ack and a batch of history until they are committed.
        self._waiting = FairQueue()
        self._restraint = Restraint()
        self._undecodable = 0
        self._reported = 0
        self._report_at_s = 0.0

    def start(self) -> None:
        """Load the highest epochs, then connect and work.

        Raises:
            Unavailable: the database does not answer, so nobody knows which epochs are too old.
        """
        records = self._sites.all()
        self._epochs.load(records)
        self._books.recall(records)
        self._worker.start()
        self._link.start()

    def stop(self) -> None:
        """Handle what waits, say goodbye and end; at most 3 s."""
        if self._leads:
            with contextlib.suppress(TidegateError):  # without a link the broker has published our will
                self._link.publish(HostStatusTopic(), self._host_status(SiteState.OFFLINE))
        self._stopping.set()
        self._arrived.set()
        self._worker.join(1.5)
        self._link.stop()

    def _host_status(self, state: Literal[SiteState.ONLINE, SiteState.OFFLINE]) -> HostStatus:
        return HostStatus(state=state, boot=self._boot, since=self._since, version=__version__)

    def _announce(self) -> None:
        self._connected_s = time.monotonic()
        self._relinked = True
        if self._leads:
            self._link.publish(HostStatusTopic(), self._host_status(SiteState.ONLINE))

    def _enqueue(self, incoming: Incoming) -> None:
        """In the broker's thread: waits for nobody's work."""
        self._waiting.put(incoming)
        if not self._arrived.is_set():
            self._arrived.set()

    def _work(self) -> None:
        while not self._stopping.is_set():
            if self._arrived.wait(IDLE_S) and len(self._waiting) < BACKLOG:
                self._stopping.wait(GATHER_S)
            self._arrived.clear()
            self._guard(self._cycle)
            self._guard(self._books.chores)
            self._guard(self._look_for_missed_meals)
        while self._waiting:
            self._guard(self._cycle)
        self._guard(self._books.flush)

    def _guard(self, work: Callable[[], None]) -> None:
        try:
            work()
        except Exception:  # a fault of ours costs one batch, never the worker: agents repeat what matters
            log.exception("batch-failed")

    def _cycle(self) -> None:
        if self._relinked:  # set before the first message of the new connection
            self._relinked = False
            self._meals.forget()
        intake = Intake(self._epochs, self._restraint, now=utc_now(), now_s=time.monotonic())
        for incoming in self._waiting.take(BATCH, BATCH_BYTES):
            intake.take(incoming)
        if self._waiting:
            self._arrived.set()
        self._report(intake)
        self._meals.recall(intake.host_alarms)
        self._books.keep(intake)

    def _look_for_missed_meals(self) -> None:
        now_s = time.monotonic()
        if (
            not self._leads
            or now_s < self._look_at_s
            or not self._link.connected
            or now_s - self._connected_s < self._settled_s
        ):
            return
        self._look_at_s = now_s + LOOK_S
        with contextlib.suppress(Unavailable):  # the bookkeeper says so, and the next look does it all
            self._meals.look(utc_now())

    def _report(self, intake: Intake) -> None:
        self._undecodable += intake.undecodable
        now_s = time.monotonic()
        if now_s < self._report_at_s:
            return
        if self._undecodable > self._reported:
            count, self._reported = self._undecodable - self._reported, self._undecodable
            self._report_at_s = now_s + REPORT_S
            log.warning("undecodable-messages", count=count, since_start=self._undecodable)
        if shed := self._waiting.shed():
            self._report_at_s = now_s + REPORT_S
            sender = max(shed, key=shed.__getitem__)
            log.error("overloaded-messages-dropped", count=sum(shed.values()), most_of=sender, its=shed[sender])
