from __future__ import annotations

import re
from dataclasses import fields, replace
from pathlib import Path

from site_agent.mailbox import (
    ALIVE_OFFSET,
    COMMAND_SIZE,
    SIZE,
    STATUS_OFFSET,
    WATCHDOG_OFFSET,
    MailboxCommand,
    MailboxStatus,
    Result,
    crc16,
)

README = Path(__file__).parents[3] / "docs" / "plc" / "README.md"
COMMAND = MailboxCommand(cmd_seq=7, last_seq=0, fence=3, op=1, arg_1=100)


def test_crc_of_the_usual_test_bytes_is_the_published_one() -> None:
    """The frame 01 03 00 00 00 0A ends in C5 CD on the wire, low byte first."""
    assert crc16([0x0103, 0x0000, 0x000A]) == 0xCDC5


def test_command_in_the_guide_is_what_the_agent_would_write() -> None:
    """Whoever pastes it feeds once."""
    words = " ".join(map(str, COMMAND.words()))
    assert f"-r 20 -1 127.0.0.1 {words}\n" in README.read_text(encoding="utf-8")


def test_results_in_the_guide_are_those_of_the_agent() -> None:
    """Numbers and names agree."""
    text = README.read_text(encoding="utf-8")
    told = {
        int(number): name
        for number, name in re.findall(r"([1-5]) (done|short|interrupted|interlocked|bad argument)", text)
    }
    assert told == {each.value: each.name.lower().replace("_", " ") for each in Result if each}


def test_offsets_in_the_guide_are_those_of_the_agent() -> None:
    """Each name stands where the agent writes or reads it, and every register has one."""
    command = MailboxCommand(cmd_seq=0, last_seq=0, fence=0, op=0)
    status = MailboxStatus(done_seq=0, done_check=0, result=0, counter_before=0, counter_after=0, busy_seq=0, fence=0)
    expected = {("check", "agent"): [COMMAND_SIZE - 1], ("watchdog", "agent"): [WATCHDOG_OFFSET]}
    expected["alive", "PLC"] = [ALIVE_OFFSET]
    for each in fields(command):
        words = replace(command, **{each.name: _ones(each.name)}).words()[: COMMAND_SIZE - 1]
        expected[each.name, "agent"] = [at for at, word in enumerate(words) if word]
    for each in fields(status):
        words = replace(status, **{each.name: _ones(each.name)}).words()
        expected[each.name, "PLC"] = [STATUS_OFFSET + at for at, word in enumerate(words) if word]
    assert _told_offsets() == expected
    assert sorted(at for registers in expected.values() for at in registers) == list(range(SIZE))


def _ones(name: str) -> int:
    """The largest that the field can hold, so that none of its words is 0."""
    return 0xFFFF if name in {"op", "arg_1", "arg_2", "done_check", "result"} else 0xFFFF_FFFF


def _told_offsets() -> dict[tuple[str, str], list[int]]:
    told = {}
    for line in README.read_text(encoding="utf-8").splitlines():
        if row := re.match(r"\| \+(\d+)(?:\.\.(\d+))? \| `?(\w+)`? \| (agent|PLC) \|", line):
            told[row[3], row[4]] = list(range(int(row[1]), int(row[2] or row[1]) + 1))
    return told


def test_check_worked_out_in_the_guide_is_right_at_every_stage() -> None:
    """Whoever follows it by hand meets the same numbers."""
    text = README.read_text(encoding="utf-8")
    found = re.search(r"^    ((?:[0-9A-F]{2} ?){18})$", text, re.MULTILINE)
    assert found
    content = bytes.fromhex(found[1])
    assert content == b"".join(word.to_bytes(2, "big") for word in COMMAND.words()[: COMMAND_SIZE - 1])
    stages = re.search(r"is (\w+) after the first byte, (\w+) after the third, and (\w+) at the end: (\d+)", text)
    assert stages
    assert [int(stages[number], 16) for number in (1, 2, 3)] == [_by_hand(content[:size]) for size in (1, 3, 18)]
    assert int(stages[4]) == COMMAND.check == _by_hand(content)


def _by_hand(content: bytes) -> int:
    """As the guide's words say."""
    register = 0xFFFF
    for byte in content:
        register ^= byte
        for _ in range(8):
            register, fell_out = register >> 1, register & 1
            register ^= 0xA001 if fell_out else 0
    return register


def test_answer_laid_out_is_read_back() -> None:
    """Every word has one place."""
    status = MailboxStatus(
        done_seq=0x1_0002,
        done_check=3,
        result=1,
        counter_before=0x4_0005,
        counter_after=0x6_0007,
        busy_seq=0x8_0009,
        fence=10,
    )
    assert MailboxStatus.from_words(status.words()) == status
