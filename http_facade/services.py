"""The parts of one facade process, composed in one place; ``start`` begins their work, constructors begin nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

from flask import Flask, current_app
from sqlalchemy import Engine

from gateway.accounts import SESSION_START, Accounts
from gateway.acknowledgements import Acknowledgements
from gateway.alarm_counts import AlarmCounts
from gateway.allowances import Allowances
from gateway.audit import Audit
from gateway.broker import BrokerLink
from gateway.changed_things import ChangedThings
from gateway.changes import Changes
from gateway.database import open_engine, try_write, upgrade
from gateway.events import Events
from gateway.feed_today import FeedToday
from gateway.feed_totals import FeedTotals
from gateway.identity.enrolments import Enrolments
from gateway.ledger import Ledger
from gateway.ledger_writer import LedgerWriter
from gateway.liveness import Alive, Liveness, open_redis
from gateway.protocol.errors import Unavailable
from gateway.protocol.topics import AckTopic
from gateway.roles import Caller
from gateway.sample_reads import SampleReads
from gateway.settings_history import SettingsHistory
from gateway.silences import Silences
from gateway.sites import Sites
from gateway.tokens import Tokens
from http_facade.acks import Acks
from http_facade.audit_notes import AuditNotes
from http_facade.cancelling import Cancelling
from http_facade.catalogue import Catalogue
from http_facade.desired import Desires
from http_facade.dispatch import Dispatch
from http_facade.enrolling import Enrolling
from http_facade.feed import Feed
from http_facade.gate import Gate
from http_facade.groups.groups import Groups
from http_facade.groups.store import GroupStore
from http_facade.handing_over import HandOver
from http_facade.representations import Json
from http_facade.settings import FacadeSettings
from http_facade.signing_in import SigningIn
from http_facade.stream_texts import StreamTexts
from http_facade.today import Today
from http_facade.waiters import Waiters

_EXTENSION: Final = "tidegate"
#: For the last look of the streams' thread, when the process stops; a statement takes less.
FEED_S: Final = 3.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """What the views need; all of it is safe from any thread."""

    engine: Engine
    writer: LedgerWriter
    ledger: Ledger
    sites: Sites
    audit: Audit
    events: Events
    acknowledgements: Acknowledgements
    alarm_counts: AlarmCounts
    allowances: Allowances
    samples: SampleReads
    feed_totals: FeedTotals
    today: Today
    silences: Silences
    settings_history: SettingsHistory
    tokens: Tokens
    accounts: Accounts
    signing_in: SigningIn
    enrolling: Enrolling
    desires: Desires
    liveness: Liveness
    link: BrokerLink
    waiters: Waiters
    catalogue: Catalogue
    dispatch: Dispatch
    cancelling: Cancelling
    groups: Groups
    audit_notes: AuditNotes
    feed: Feed

    @classmethod
    def from_settings(cls, settings: FacadeSettings) -> Services:
        """Compose everything; connects to nothing yet."""
        engine = open_engine(settings.database_url)
        ledger = Ledger(engine)
        samples = SampleReads(engine, settings.ages)
        accounts = Accounts(engine)
        writer = LedgerWriter(ledger)
        sites = Sites(engine)
        liveness = Liveness(open_redis(settings.redis_url, settings.redis_password), expiry_s=settings.alive_expiry_s)
        login = settings.login
        waiters = Waiters(settings.waiting_limit)
        acks = Acks(waiters, writer, requester=login.username)
        link = BrokerLink(login, subscriptions=[AckTopic.filter(requester=login.username)], on_message=acks.on_message)
        hand_over = HandOver(link, requester=login.username)
        catalogue = Catalogue(sites)
        gate = Gate(liveness, expiry_s=settings.alive_expiry_s, silent_s=catalogue.silent_s)
        dispatch = Dispatch(
            catalogue=catalogue,
            gate=gate,
            hand_over=hand_over,
            recorder=writer,
            ledger=ledger,
            waiters=waiters,
            acks=acks,
        )
        audit_notes = AuditNotes(writer, principal=login.username)
        return cls(
            engine=engine,
            writer=writer,
            ledger=ledger,
            sites=sites,
            audit=Audit(engine),
            events=Events(engine),
            acknowledgements=Acknowledgements(engine),
            alarm_counts=AlarmCounts(engine),
            allowances=Allowances(engine),
            samples=samples,
            feed_totals=FeedTotals(engine, samples),
            today=Today(sites, FeedToday(engine, samples)),
            silences=Silences(engine),
            settings_history=SettingsHistory(engine),
            tokens=Tokens(engine),
            accounts=accounts,
            signing_in=SigningIn(accounts),
            enrolling=Enrolling(Enrolments(engine), settings),
            desires=Desires(engine),
            liveness=liveness,
            link=link,
            waiters=waiters,
            catalogue=catalogue,
            dispatch=dispatch,
            cancelling=Cancelling(hand_over=hand_over, ledger=ledger, waiters=waiters, audit=audit_notes),
            groups=Groups(
                store=GroupStore(engine),
                commander=dispatch,
                reports=sites,
                ledger=ledger,
                audit=audit_notes,
                second_person_from=settings.http_second_person_from,
            ),
            audit_notes=audit_notes,
            feed=Feed(
                Changes(engine),
                render=StreamTexts(
                    ChangedThings(engine), beats=partial(_beats, liveness), alive_expiry_s=settings.alive_expiry_s
                ).render,
                most=settings.http_streams,
            ),
        )

    def start(self) -> None:
        """Bring the tables up to date, then begin to connect; raises Unavailable if the database does not answer."""
        upgrade(self.engine)
        Changes(self.engine).skip()
        self.writer.start()
        self.link.start()

    def stop(self) -> None:
        """Answer who waits, let what is queued be committed, and say goodbye to the broker; at most a few seconds."""
        self.groups.close()
        self.let_go()
        self.feed.join(FEED_S)
        self.today.close()
        self.link.stop()
        self.writer.stop()
        self.engine.dispose()
        self.liveness.close()

    def let_go(self) -> None:
        """Answer all who wait for something that may never come: this process stops."""
        self.feed.close()
        self.waiters.dismiss()

    def register(self, app: Flask) -> None:
        """Make the parts known to the views of ``app``."""
        app.extensions[_EXTENSION] = self

    def find_caller(self, credential: str) -> Caller | None:
        """Whom a token or a session stands for; raises Unavailable."""
        if credential.startswith(SESSION_START):
            return self.accounts.caller_of(credential)
        return self.tokens.caller_of(credential)

    def beats(self, sites: Sequence[str]) -> tuple[Mapping[str, Alive | None], str | None]:
        """The live beats of ``sites``; or none, and why nobody can tell."""
        return _beats(self.liveness, sites)

    def readiness(self) -> dict[str, Json]:
        """Whether each part answers now."""
        checks: dict[str, Callable[[], None]] = {
            "broker": self._ask_link,
            "redis": self.liveness.ping,
            "database": self._ask_database,
        }
        return {name: _answer(check) for name, check in checks.items()}

    def _ask_link(self) -> None:
        if not self.link.connected:
            raise Unavailable("broker", "not connected")

    def _ask_database(self) -> None:
        # Where nothing can be written no command can be taken.
        try_write(self.engine)


def _beats(liveness: Liveness, sites: Sequence[str]) -> tuple[Mapping[str, Alive | None], str | None]:
    try:
        return liveness.read_many(sites), None
    except Unavailable as error:
        return {}, str(error)


def _answer(check: Callable[[], None]) -> Json:
    try:
        check()
    except Unavailable as error:
        return {"ok": False, "detail": error.detail}
    return {"ok": True, "detail": ""}


def services() -> Services:
    """The parts behind the current request."""
    found = current_app.extensions[_EXTENSION]
    assert isinstance(found, Services)  # noqa: S101 # registered by Services alone
    return found
