from __future__ import annotations

import re
from pathlib import Path

from site_agent.mailbox import MailboxCommand, MailboxStatus, Result, crc16

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
