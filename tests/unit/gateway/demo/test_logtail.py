"""The demo's log stream: readable, whole lines, and nothing that a terminal would obey."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from rich.text import Text

from gateway.demo.logtail import LogTail, readable


def plain(role: str, line: str) -> str | None:
    shown = readable(role, line)
    return None if shown is None else Text.from_markup(shown).plain


def test_readable_record_event_and_fields_shown() -> None:
    """A structured line becomes who, event and fields; what repeats these is left out."""
    line = json.dumps({"event": "site-online", "site": "arava-1", "level": "info", "logger": "gateway.recorder"})
    assert plain("gateway", line) == "gateway site-online site=arava-1"


def test_readable_librarys_chatter_hidden_but_not_its_warnings() -> None:
    """A library speaks up only when something is wrong."""
    record = {"event": "setup plugin", "logger": "alembic.runtime", "level": "info"}
    assert plain("gateway", json.dumps(record)) is None
    assert plain("gateway", json.dumps({**record, "level": "warning"})) is not None


@pytest.mark.parametrize("hostile", ["\x1b[2Jgone", "\u202egnp.exe", "\x07", "\x9b31m"])
def test_readable_control_characters_shown_not_obeyed(hostile: str) -> None:
    """Neither plain nor structured lines can steer the terminal (S27)."""
    record = {"event": hostile, "name": hostile, "logger": "gateway.x", "level": "info"}
    for line in (hostile, json.dumps(record), json.dumps(record, ensure_ascii=False)):
        shown = plain("broker", line)
        assert shown is not None
        assert all(character.isprintable() for character in shown)


def test_readable_markup_in_a_line_shown_as_it_is() -> None:
    """A payload cannot colour, or hide, a line."""
    assert plain("agent", "[red]x[/] [link=y]") == "  agent [red]x[/] [link=y]"


@pytest.mark.parametrize("line", ["{", "[1]", "{}", '{"event": null, "timestamp": 5}', "null"])
def test_readable_odd_json_shown(line: str) -> None:
    """Whatever the line is, it raises nothing."""
    readable("farm", line)


def test_lines_half_a_line_waits_for_its_end(tmp_path: Path) -> None:
    """A line is shown when it is whole, once."""
    path = tmp_path / "log"
    tail = LogTail({"agent": path})
    assert list(tail.lines()) == []
    path.write_bytes("one\nt\u00e4".encode())
    assert list(tail.lines()) == [("agent", "one")]
    with path.open("ab") as file:
        file.write(b"il\r\n")
    assert list(tail.lines()) == [("agent", "t\u00e4il")]


def test_skip_leaves_out_what_was_there(tmp_path: Path) -> None:
    """Only what comes later is shown."""
    path = tmp_path / "log"
    path.write_text("old\n")
    tail = LogTail({"redis": path})
    tail.skip("redis")
    with path.open("a") as file:
        file.write("new\n")
    assert list(tail.lines()) == [("redis", "new")]
