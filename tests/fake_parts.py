"""The facade's parts without any I/O: scripted by a test, each honest about its port's contract."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, StaticPool, create_engine

from gateway.accounts import Accounts
from gateway.acknowledgements import Acknowledgements
from gateway.alarm_counts import AlarmCounts
from gateway.allowances import Allowances
from gateway.audit import Audit
from gateway.broker import Incoming
from gateway.changes import Changes
from gateway.events import Events
from gateway.feed_today import FeedToday
from gateway.feed_totals import FeedTotals
from gateway.identity.enrolments import Enrolments
from gateway.liveness import Alive
from gateway.protocol.codec import encode
from gateway.protocol.description import Description
from gateway.protocol.errors import TidegateError, Unavailable
from gateway.protocol.lifecycle import State
from gateway.protocol.messages import Ack, Command, DeviceState, Heartbeat, Message, PlcLink, Quality, SiteState, Value
from gateway.protocol.topics import AckTopic, CommandTopic, Topic
from gateway.sample_reads import SampleReads
from gateway.settings import EnrolmentSettings
from gateway.settings_history import SettingsHistory
from gateway.silences import Silences
from gateway.sites import DeviceRecord, SiteRecord
from gateway.tokens import Tokens
from http_facade.acks import Acks
from http_facade.audit_notes import AuditNotes
from http_facade.cancelling import Cancelling
from http_facade.catalogue import Catalogue
from http_facade.desired import Wish
from http_facade.dispatch import Dispatch
from http_facade.enrolling import Enrolling
from http_facade.feed import Feed
from http_facade.gate import Gate
from http_facade.groups.groups import Groups
from http_facade.groups.store import GroupStore
from http_facade.handing_over import HandOver
from http_facade.services import Services
from http_facade.settings import FacadeSettings
from http_facade.signing_in import SigningIn
from http_facade.today import Today
from http_facade.waiters import Waiters
from tests.fake_ledger import ME, NOW, FakeLedger, done

SITE, DEVICE, PLC = "arava-1", "feeder-1", "plc-1"
REVISION = "0123abcd"

DESCRIPTION = Description.model_validate_json(
    """{"id": "urn:tidegate:arava-1:feeder-1", "title": "Feeder 1", "tidegate:plc": "plc-1",
    "securityDefinitions": {"basic": {"scheme": "basic"}}, "security": ["basic"], "properties": {
    "portion_g": {"type": "integer", "unit": "g", "minimum": 0, "maximum": 2000, "multipleOf": 5,
                  "forms": [{"href": "x", "op": ["writeproperty"]}]},
    "enabled": {"type": "boolean", "forms": [{"href": "x", "op": ["writeproperty"]}]},
    "level": {"type": "number", "forms": [{"href": "x", "op": ["writeproperty"]}]},
    "label": {"type": "string", "maxLength": 8, "forms": [{"href": "x", "op": ["writeproperty"]}]},
    "water_c": {"type": "number", "readOnly": true, "forms": [{"href": "x", "op": ["readproperty"]}]}},
    "actions": {"feed": {"tidegate:effect": "mailbox", "tidegate:argument": "grams",
    "tidegate:limits": {"largest": 300},
    "input": {"type": "object", "required": ["grams"], "properties": {
    "grams": {"type": "integer", "unit": "g", "minimum": 5, "maximum": 500, "multipleOf": 5}}},
    "forms": [{"href": "x", "op": ["invokeaction"]}]}}}"""
)


@dataclass
class FakeMirror:
    """Redis: the beats of sites that are alive."""

    beats: dict[str, Alive] = field(default_factory=dict)
    down: bool = False
    expiry_s: int = 25

    def beat(self, site: str = SITE, *, plc: PlcLink = PlcLink.OK) -> None:
        """Open the gate."""
        heartbeat = Heartbeat(epoch=5, seq=7, at=NOW, plcs={PLC: plc})
        self.beats[site] = Alive(heartbeat=heartbeat, age_s=1.5)

    def ping(self) -> None:
        """As Liveness."""
        if self.down:
            raise Unavailable("redis", "no answer within 0.3 s")

    def read(self, site: str) -> Alive | None:
        """As Liveness."""
        return self.read_many([site])[site]

    def read_many(self, sites: Sequence[str]) -> Mapping[str, Alive | None]:
        """As Liveness."""
        self.ping()
        return {site: self.beats.get(site) for site in sites}


@dataclass
class FakeReports:
    """The tables of sites and devices: one site, one device."""

    down: bool = False

    def _site(self) -> SiteRecord:
        if self.down:
            raise Unavailable("database", "disk full")
        return SiteRecord(
            site=SITE,
            epoch=5,
            boot="deadbeef",
            state=SiteState.ONLINE,
            since=NOW,
            version="1.0",
            reason="",
            last_beat_at=datetime.now(UTC) - timedelta(seconds=40),
            last_beat_epoch=5,
            last_beat_seq=7,
            plcs={PLC: PlcLink.OK},
            outbox=3,
            updated_at=NOW,
        )

    def all(self) -> Sequence[SiteRecord]:
        """As Sites."""
        return [self._site()]

    def get(self, site: str) -> SiteRecord | None:
        """As Sites."""
        found = self._site()
        return found if site == SITE else None

    def devices(self, site: str) -> Sequence[DeviceRecord]:
        """As Sites."""
        found = self.device(site, DEVICE)
        return [] if found is None else [found]

    def device(self, site: str, device: str) -> DeviceRecord | None:
        """As Sites."""
        self._site()
        if (site, device) != (SITE, DEVICE):
            return None
        values: dict[str, Value | None] = {"portion_g": 100, "enabled": True, "water_c": 24.5}
        state = DeviceState(at=NOW, quality=Quality.GOOD, revision=REVISION, properties=values)
        return DeviceRecord(
            site=site, device=device, description=DESCRIPTION, state=state, state_at=NOW, epoch=5, received_at=NOW
        )

    def descriptions(self) -> Mapping[str, Mapping[str, Description]]:
        """As Sites."""
        self._site()
        return {SITE: {DEVICE: DESCRIPTION}}

    def description(self, site: str, device: str) -> Description | None:
        """As Sites."""
        self._site()
        return DESCRIPTION if (site, device) == (SITE, DEVICE) else None


@dataclass
class FakeLink:
    """The broker, and behind it a site that answers as told."""

    connected: bool = True
    published: list[tuple[CommandTopic, Command, int | None]] = field(default_factory=list)
    publish_error: TidegateError | None = None
    confirmed: Callable[[], Future[None]] = done
    #: What the site makes of a command; None: silence.
    site: Callable[[CommandTopic, Command], Ack | None] = lambda *_: None
    deliver: Callable[[Incoming], None] = lambda _: None

    def publish(self, topic: Topic, message: Message, *, expiry_s: int | None = None) -> Future[None]:
        """As BrokerLink; the site's answer is there before this returns, which the real one may do too."""
        if self.publish_error is not None:
            raise self.publish_error
        assert isinstance(topic, CommandTopic)
        assert isinstance(message, Command)
        self.published.append((topic, message, expiry_s))
        ack = self.site(topic, message)
        if ack is not None:
            self.answer(topic, ack)
        return self.confirmed()

    def answer(self, topic: CommandTopic, ack: Ack) -> None:
        """Let the site's ack arrive."""
        text = str(AckTopic(site=topic.site, requester=topic.requester, id=ack.id))
        self.deliver(Incoming(topic=text, payload=encode(ack), retained=False, received_s=0.0))


def acking(state: State, code: str, **changes: Any) -> Callable[[CommandTopic, Command], Ack]:  # noqa: ANN401 # any field
    """A site that says this of every command."""

    def ack(topic: CommandTopic, command: Command) -> Ack:
        fields: dict[str, Any] = {
            "id": command.id,
            "device": topic.device,
            "name": topic.name,
            "input": command.input,
            "state": state,
            "code": code,
            "result": command.input if state is State.APPLIED else {},
            "epoch": 5,
            "at": NOW,
        }
        return Ack.model_validate(fields | changes)

    return ack


@dataclass
class FakeDesires:
    """What was last asked for."""

    wishes: Mapping[str, Wish] = field(default_factory=dict)

    def of_device(self, site: str, device: str, settings: Collection[str]) -> Mapping[str, Wish]:
        """As Desires."""
        return self.of_site(site, {device: settings})[device]

    def of_site(self, site: str, settings: Mapping[str, Collection[str]]) -> Mapping[str, Mapping[str, Wish]]:  # noqa: ARG002 # the port's signature
        """As Desires."""
        return {
            device: {name: self.wishes[name] for name in names if name in self.wishes}
            for device, names in settings.items()
        }


def _engine() -> Engine:
    engine = create_engine("sqlite://", poolclass=StaticPool, connect_args={"check_same_thread": False})
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE alembic_version (version_num TEXT)")
    return engine


@dataclass
class FakeParts:
    """Everything behind the views, and the real order between."""

    mirror: FakeMirror = field(default_factory=FakeMirror)
    reports: FakeReports = field(default_factory=FakeReports)
    ledger: FakeLedger = field(default_factory=FakeLedger)
    link: FakeLink = field(default_factory=FakeLink)
    desires: FakeDesires = field(default_factory=FakeDesires)
    waiters: Waiters = field(default_factory=lambda: Waiters(4))
    #: Without tables but the one that readiness tries, unless a test brings some.
    engine: Engine = field(default_factory=_engine)

    #: Where sites would enrol; nowhere, unless a test sets it up.
    settings: EnrolmentSettings = field(default_factory=lambda: EnrolmentSettings(home=Path("nowhere")))

    def services(self) -> Services:
        """The parts as the views want them."""
        catalogue = Catalogue(self.reports)
        acks = Acks(self.waiters, self.ledger, requester=ME)
        self.link.deliver = acks.on_message
        fakes: dict[str, Any] = {
            "engine": self.engine,
            "writer": self.ledger,
            "ledger": self.ledger,
            "sites": self.reports,
            "audit": Audit(self.engine),
            "events": Events(self.engine),
            "acknowledgements": Acknowledgements(self.engine),
            "alarm_counts": AlarmCounts(self.engine),
            "allowances": Allowances(self.engine),
            "samples": SampleReads(self.engine),
            "feed_totals": FeedTotals(self.engine, SampleReads(self.engine)),
            "today": Today(self.reports, FeedToday(self.engine, SampleReads(self.engine))),
            "silences": Silences(self.engine),
            "settings_history": SettingsHistory(self.engine),
            "tokens": Tokens(self.engine),
            "accounts": Accounts(self.engine),
            "signing_in": SigningIn(Accounts(self.engine)),
            "enrolling": Enrolling(Enrolments(self.engine), self.settings),
            "desires": self.desires,
            "liveness": self.mirror,
            "link": self.link,
            "waiters": self.waiters,
        }
        hand_over = HandOver(self.link, requester=ME)
        dispatch = Dispatch(
            catalogue=catalogue,
            gate=Gate(self.mirror, expiry_s=25, silent_s=catalogue.silent_s),
            hand_over=hand_over,
            recorder=self.ledger,
            ledger=self.ledger,
            waiters=self.waiters,
            acks=acks,
        )
        audit = AuditNotes(self.ledger, principal=ME)
        cancelling = Cancelling(hand_over=hand_over, ledger=self.ledger, waiters=self.waiters, audit=audit)
        groups = Groups(
            store=GroupStore(self.engine), commander=dispatch, reports=self.reports, ledger=self.ledger, audit=audit
        )
        feed = Feed(Changes(self.engine), render=lambda _: (), most=0)
        own: dict[str, Any] = {"feed": feed, "catalogue": catalogue, "cancelling": cancelling, "audit_notes": audit}
        return Services(dispatch=dispatch, groups=groups, **own, **fakes)


def settings(home: Path) -> FacadeSettings:
    """Settings of a facade at ``home``, whatever the environment says."""
    password = home / "password"
    password.write_text("good-for-these-tests-only")
    return FacadeSettings(home=home, broker_password_file=password)
