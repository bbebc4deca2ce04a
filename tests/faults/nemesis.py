"""Everything goes wrong by a seed while clients go on asking; then all is mended, and the PLCs' own logs judge.

``python -m tests.faults.nemesis --minutes 10 --seed 7 --sites 4`` prints what it does, writes ``build/chaos.json``,
and exits with 1 if a promise was broken.
"""

from __future__ import annotations

import json
import secrets
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any, Final

import click

from gateway.database.engine import open_engine
from gateway.ledger import CommandRecord, Ledger
from gateway.place import Place
from tests.conditions import eventually
from tests.faults.checker import check
from tests.faults.history import Bounds, History, Row
from tests.faults.load import Load
from tests.faults.misfortune import Misfortune, Undo
from tests.faults.region import ALIVE_EXPIRY_S, SETTING, Region
from tests.faults.tap import GateWatch, Tap, value_of
from tests.faults.verdict import Verdict

#: How long a fault lasts, and how many may overlap.
_SHORTEST_S, _LONGEST_S = 0.3, 5.0
_AT_ONCE: Final = 2
_CALM_S: Final = 2.0
_DRAIN_S: Final = 90.0
_START_S: Final = 60.0
BOUNDS: Final = Bounds(alive_expiry_s=ALIVE_EXPIRY_S, in_flight_s=_LONGEST_S + 5, answer_s=30.0)


@dataclass(slots=True)
class Nemesis:
    """One run; ``verdict`` and ``played`` tell of it afterwards."""

    home: Path
    seed: int
    minutes: float
    sites: int
    pause_s: float = 0.6
    quiet: bool = False

    def run(self) -> Verdict:
        """Play faults for the whole time, mend everything, wait for every end, and judge."""
        random = Random(self.seed)  # noqa: S311 # a script of faults that can be played again
        persistence = random.random() < 0.5
        self._say(f"seed {self.seed}, {self.sites} sites, {self.minutes:g} minutes, broker persistence {persistence}")
        with Region.running(self.home, sites=self.sites, persistence=persistence, seed=self.seed) as region:
            tap = Tap(region.stack.login(region.stack.plan.person))
            gate = GateWatch(region.stack.redis_url, [site.name for site in region.sites], ALIVE_EXPIRY_S)
            load = Load(region, tap, seed=self.seed, pause_s=self.pause_s)
            ledger = Ledger(open_engine(f"sqlite:///{self.home / 'tidegate.db'}"))
            eventually(lambda: tap.listening, within_s=_START_S, what="the witness")
            eventually(region.ready, within_s=_START_S, what="all sites in good health")
            load.start()
            try:
                self._torment(region, load, random)
            finally:
                load.stop()
                self._say("mending")
                region.heal()
            self._drain(ledger)
            tap.close()
            gate.close()
            verdict = check(_history(region, tap, gate, load, ledger))
            ledger.engine.dispose()
        self._say(verdict.table())
        return verdict

    def _torment(self, region: Region, load: Load, random: Random) -> None:
        misfortune, began_s = Misfortune(region, random), time.monotonic()
        ends_s, going = began_s + 60 * self.minutes, list[tuple[float, str, Undo]]()
        next_s = began_s + _CALM_S
        while (now_s := time.monotonic()) < ends_s:
            for fault in [each for each in going if each[0] <= now_s]:
                fault[2]()
                going.remove(fault)
            if now_s >= next_s and len(going) < _AT_ONCE:
                what, undo = misfortune.begin()
                going.append((now_s + random.uniform(_SHORTEST_S, _LONGEST_S), what, undo))
                self._say(f"{now_s - began_s:6.1f} s  {len(load.calls):6} calls  {what}")
                next_s = now_s + random.uniform(0.2, 2 * _CALM_S)
            time.sleep(0.05)
        for _, _, undo in going:
            undo()

    def _drain(self, ledger: Ledger) -> None:
        def ended() -> bool:
            return all(record.state.final for record in _records(ledger))

        try:
            eventually(ended, within_s=_DRAIN_S, what="an end of every command")
        except AssertionError:
            self._say(f"some commands have no end after {_DRAIN_S:g} s:")
            for record in _records(ledger):
                if not record.state.final:
                    told = " > ".join(f"{step.what} {step.code or ''}".strip() for step in record.steps)
                    self._say(f"  {record.id} {record.site} {record.device} {record.name} {dict(record.input)}: {told}")
                    self._say(f"  {record.detail}; {record.result}")

    def _say(self, words: str) -> None:
        if not self.quiet:
            sys.stdout.write(words + "\n")
            sys.stdout.flush()


def _records(ledger: Ledger) -> list[CommandRecord]:
    records: list[CommandRecord] = []
    before: Place | None = None
    while True:
        page, before = ledger.page(site=None, state=None, limit=500, before=before)
        records += page
        if before is None:
            return records


def _row(record: CommandRecord, wall_s: float) -> Row | None:
    about = value_of(record.name, dict(record.input))
    if about is None:
        return None
    counted = (record.result or {}).get("grams_counted")
    return Row(
        id=record.id,
        thing=(record.site, record.device, about[0]),
        value=about[1],
        state=record.state,
        code=record.code,
        requester=record.requester,
        actor=record.actor,
        key=record.key,
        issued_at=None if record.issued_at is None else record.issued_at.timestamp() - wall_s,
        ttl_s=record.ttl_s,
        counted=counted if isinstance(counted, int) else None,
        steps=tuple((step.what, step.recorded_at.timestamp() - wall_s) for step in record.steps),
    )


def _history(region: Region, tap: Tap, gate: GateWatch, load: Load, ledger: Ledger) -> History:
    # All processes share this machine's clocks, so one difference turns wall times into ours.
    wall_s = time.time() - time.monotonic()
    rows = [_row(record, wall_s) for record in _records(ledger)]
    effects = [effect for site in region.sites for effect in site.effects()]
    return History(
        calls=tuple(sorted(load.calls, key=lambda each: each.at)),
        published=tuple(tap.published),
        acks=tuple(tap.acks),
        beats=tuple(tap.beats),
        gate=tuple(gate.seen),
        rows=tuple(row for row in rows if row is not None),
        effects=tuple(sorted(effects, key=lambda each: each.at)),
        shown=tuple(each for each in tap.shown if each.thing[2] == SETTING),
        gaps=tuple(tap.gaps),
        first=region.first,
        bounds=BOUNDS,
    )


def report(verdict: Verdict, *, seed: int, file: Path, **more: Any) -> None:  # noqa: ANN401 # what JSON can hold
    """Write the verdict for machines."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps({"seed": seed, **more, **verdict.as_dict()}, indent=2) + "\n", encoding="utf-8")


@click.command()
@click.option("--minutes", type=float, default=10.0, show_default=True)
@click.option("--seed", type=int, default=None, help="Default: a new one, which is printed first.")
@click.option("--sites", type=int, default=4, show_default=True)
@click.option("--pause", "pause_s", type=float, default=0.6, show_default=True, help="Of each client, in seconds.")
@click.option("--report", "file", type=click.Path(path_type=Path), default=Path("build/chaos.json"), show_default=True)
def nemesis(minutes: float, seed: int | None, sites: int, pause_s: float, file: Path) -> None:
    """Torment a whole region, and judge it."""
    chosen = secrets.randbelow(1_000_000) if seed is None else seed
    with tempfile.TemporaryDirectory(prefix="tidegate-chaos-") as folder:
        run = Nemesis(home=Path(folder) / "home", seed=chosen, minutes=minutes, sites=sites, pause_s=pause_s)
        verdict = run.run()
    report(verdict, seed=chosen, file=file, minutes=minutes, sites=sites)
    sys.exit(1 if verdict.faults else 0)


if __name__ == "__main__":
    nemesis()
