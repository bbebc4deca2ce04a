"""The facade's parts without any I/O: scripted by a test, each honest about its port's contract."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, create_engine

from gateway.broker import Incoming
from gateway.events import Events
from gateway.ledger import Answer, Asked, CommandRecord, Recorded, Step
from gateway.ledger_rows import PUBLISHED
from gateway.liveness import Alive
from gateway.protocol.codec import encode
from gateway.protocol.description import Description
from gateway.protocol.errors import TidegateError, Unavailable
from gateway.protocol.lifecycle import State
from gateway.protocol.messages import Ack, Command, DeviceState, Heartbeat, Message, PlcLink, Quality, SiteState, Value
from gateway.protocol.topics import AckTopic, CommandTopic, Topic
from gateway.sample_reads import SampleReads
from gateway.sites import DeviceRecord, SiteRecord
from http_facade.acks import Acks
from http_facade.cancelling import Cancelling
from http_facade.catalogue import Catalogue
from http_facade.desired import Wish
from http_facade.dispatch import Dispatch
from http_facade.gate import Gate
from http_facade.groups.groups import Groups
from http_facade.groups.store import GroupStore
from http_facade.handing_over import HandOver
from http_facade.services import Services
from http_facade.settings import FacadeSettings
from http_facade.waiters import Waiters

SITE, DEVICE, PLC, ME = "arava-1", "feeder-1", "plc-1", "@facade"
REVISION = "0123abcd"
NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)

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


def done(error: Exception | None = None) -> Future[None]:
    """A future that is over."""
    future: Future[None] = Future()
    if error is None:
        future.set_result(None)
    else:
        future.set_exception(error)
    return future


@dataclass
class FakeMirror:
    """Redis: the beats of sites that are alive."""

    beats: dict[str, Alive] = field(default_factory=dict)
    down: bool = False

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

    def description(self, site: str, device: str) -> Description | None:
        """As Sites."""
        self._site()
        return DESCRIPTION if (site, device) == (SITE, DEVICE) else None


@dataclass
class FakeLedger:
    """Both sides of the ledger; commits at once, or fails as told."""

    records: dict[str, CommandRecord] = field(default_factory=dict)
    answers: list[Answer] = field(default_factory=list)
    record_error: TidegateError | None = None
    refuse_record: TidegateError | None = None
    settle_error: TidegateError | None = None
    read_error: TidegateError | None = None
    get_error: TidegateError | None = None
    stuck: bool = False
    #: False: another facade records the same key between our look and our row.
    keys_seen: bool = True
    #: Runs at every commit of a row: what has happened so far?
    on_record: Callable[[Asked], None] = lambda _: None
    _one_by_one: threading.Lock = field(default_factory=threading.Lock)

    def record(self, asked: Asked) -> Future[Recorded]:
        """As LedgerWriter."""
        if self.refuse_record is not None:
            raise self.refuse_record
        future: Future[Recorded] = Future()
        if self.record_error is not None:
            future.set_exception(self.record_error)
        elif not self.stuck:
            future.set_result(self._take(asked))
        return future

    def _take(self, asked: Asked) -> Recorded:
        with self._one_by_one:
            first = None if asked.key is None else self._by_key(asked.actor, asked.key)
            if first is not None:
                return Recorded(id=first.id, fresh=False, fingerprint=first.fingerprint)
            self.records[asked.id] = _record(asked)
        self.on_record(asked)
        return Recorded(id=asked.id, fresh=True, fingerprint=asked.fingerprint)

    def settle(self, answer: Answer) -> Future[None]:
        """As LedgerWriter."""
        if self.settle_error is not None:
            return done(self.settle_error)
        self.answers.append(answer)
        ack, record = answer.ack, self.records.get(answer.ack.id)
        if record is not None:
            news = {name: getattr(ack, name) for name in ("state", "code", "detail", "result", "epoch", "evidence")}
            self.records[ack.id] = replace(record, **news)
        return done()

    def published(self, id: str, at: datetime) -> Future[None]:
        """As LedgerWriter."""
        record = self.records.get(id)
        if record is not None:
            step = Step(what=PUBLISHED, at=at, recorded_at=NOW, source=ME, code=None, detail=None)
            self.records[id] = replace(record, steps=(*record.steps, step))
        return done()

    def by_key(self, actor: str, key: str) -> CommandRecord | None:
        """As Ledger."""
        if self.read_error is not None:
            raise self.read_error
        return self._by_key(actor, key) if self.keys_seen else None

    def _by_key(self, actor: str | None, key: str) -> CommandRecord | None:
        return next((each for each in list(self.records.values()) if (each.actor, each.key) == (actor, key)), None)

    def get(self, command_id: str) -> CommandRecord | None:
        """As Ledger."""
        error = self.get_error or self.read_error
        if error is not None:
            raise error
        return self.records.get(command_id)

    def page(
        self,
        *,
        site: str | None,
        state: State | None,
        limit: int,
        before: str | None,
        device: str | None = None,
        name: str | None = None,
    ) -> tuple[Sequence[CommandRecord], str | None]:
        """As Ledger."""
        if self.read_error is not None:
            raise self.read_error
        wanted = {"site": site, "device": device, "name": name, "state": state}
        asked = {name: value for name, value in wanted.items() if value is not None}
        found = [each for each in self.records.values() if all(getattr(each, k) == v for k, v in asked.items())]
        found = [each for each in sorted(found, key=lambda each: each.id, reverse=True) if (before or "~") > each.id]
        return found[:limit], found[limit - 1].id if len(found) > limit else None


def _record(asked: Asked) -> CommandRecord:
    step = Step(what=State.PENDING, at=asked.issued_at, recorded_at=NOW, source=ME, code=None, detail=None)
    return CommandRecord(
        id=asked.id,
        site=asked.site,
        device=asked.device,
        name=asked.name,
        requester=asked.requester,
        actor=asked.actor,
        reason=None,
        input=asked.input,
        expect_revision=asked.expect_revision,
        issued_at=asked.issued_at,
        ttl_s=asked.ttl_s,
        deadline_at=asked.issued_at + timedelta(seconds=asked.ttl_s),
        source_address=asked.source_address,
        state=State.PENDING,
        code=None,
        detail=None,
        result=None,
        epoch=None,
        created_at=NOW,
        updated_at=NOW,
        asked_epoch=asked.asked_epoch,
        key=asked.key,
        fingerprint=asked.fingerprint,
        steps=(step,),
    )


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


@dataclass
class FakeParts:
    """Everything behind the views, and the real order between."""

    mirror: FakeMirror = field(default_factory=FakeMirror)
    reports: FakeReports = field(default_factory=FakeReports)
    ledger: FakeLedger = field(default_factory=FakeLedger)
    link: FakeLink = field(default_factory=FakeLink)
    desires: FakeDesires = field(default_factory=FakeDesires)
    waiters: Waiters = field(default_factory=lambda: Waiters(4))
    #: Without tables, unless a test brings some.
    engine: Engine = field(default_factory=lambda: create_engine("sqlite://"))

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
            "events": Events(self.engine),
            "samples": SampleReads(self.engine),
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
        cancelling = Cancelling(hand_over=hand_over, ledger=self.ledger, waiters=self.waiters)
        groups = Groups(store=GroupStore(self.engine), commander=dispatch, reports=self.reports, ledger=self.ledger)
        own: dict[str, Any] = {"catalogue": catalogue, "cancelling": cancelling}
        return Services(dispatch=dispatch, groups=groups, **own, **fakes)


def settings(home: Path) -> FacadeSettings:
    """Settings of a facade at ``home``, whatever the environment says."""
    password = home / "password"
    password.write_text("only-for-tests")
    return FacadeSettings(home=home, broker_password_file=password)
