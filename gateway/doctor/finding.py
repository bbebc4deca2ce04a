"""One thing that was looked at, and what came of it; and how all of them are shown."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Final

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from gateway.protocol.errors import TidegateError


class Verdict(StrEnum):
    """How it stands."""

    GOOD = "good"
    #: It works, but will not for long, or not as it should.
    DOUBTFUL = "doubtful"
    BAD = "bad"


@dataclass(frozen=True, slots=True)
class Finding:
    """``about`` in a word or two; ``said`` what is so; ``todo`` what to do about it, empty if nothing is."""

    about: str
    verdict: Verdict
    said: str
    todo: str = ""


#: Looks at one thing; what it cannot find out it raises.
Look = Callable[[], Finding | Iterable[Finding]]

_COLOURS: Final = {Verdict.GOOD: "green", Verdict.DOUBTFUL: "yellow", Verdict.BAD: "bold red"}


def good(about: str, said: str) -> Finding:
    """All is well."""
    return Finding(about, Verdict.GOOD, said)


def doubtful(about: str, said: str, todo: str) -> Finding:
    """It works for now."""
    return Finding(about, Verdict.DOUBTFUL, said, todo)


def bad(about: str, said: str, todo: str) -> Finding:
    """It does not work."""
    return Finding(about, Verdict.BAD, said, todo)


def findings(looks: Iterable[tuple[str, Look, str]]) -> Iterator[Finding]:
    """What each look finds; one that fails is a bad finding with its reason, and the todo that stands beside it."""
    for about, look, todo in looks:
        try:
            found = look()
            yield from [found] if isinstance(found, Finding) else found
        except (TidegateError, OSError) as error:
            yield bad(about, str(error), todo)


def report(found: Iterable[Finding], *, as_json: bool) -> int:
    """Show the findings as they come; the exit code: 0 if nothing is bad."""
    seen = []
    for each in found:
        seen.append(each)
        if as_json:
            click.echo(json.dumps(asdict(each)))
        else:
            _show(each)
    if not as_json:
        counts = {verdict: sum(each.verdict is verdict for each in seen) for verdict in Verdict}
        Console().print(
            f"\n{counts[Verdict.GOOD]} good, {counts[Verdict.DOUBTFUL]} doubtful, {counts[Verdict.BAD]} bad"
        )
    return int(any(each.verdict is Verdict.BAD for each in seen))


def _show(finding: Finding) -> None:
    row = Table.grid(padding=(0, 2))
    row.add_column(width=8)
    row.add_column(width=18)
    row.add_column()
    # Text, not markup: what is said may hold brackets of its own.
    row.add_row(Text(finding.verdict.value, _COLOURS[finding.verdict]), Text(finding.about), Text(finding.said))
    if finding.todo:
        row.add_row("", "", Text(f"→ {finding.todo}"))
    Console().print(row)
