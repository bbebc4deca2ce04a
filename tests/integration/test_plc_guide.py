"""The commissioning steps of docs/plc/README.md, carried out on the simulated farm as they stand there."""

from __future__ import annotations

import asyncio
import re
import shlex
import subprocess
import sys
from pathlib import Path

from site_agent.mailbox import MailboxCommand
from site_agent.simulator.farm import Farm
from tests.requirements import program

README = Path(__file__).parents[2] / "docs" / "plc" / "README.md"
LID = 10


class Site:
    """A farm and the hands of whoever commissions it."""

    def __init__(self, memory: Path) -> None:
        self._memory = memory
        self._now_s = 8 * 3600.0
        self.farm = self._fresh()

    def _fresh(self) -> Farm:
        return Farm(tick_s=0, now=lambda: self._now_s, memory=self._memory)

    async def do(self, line: str) -> None:
        """What a comment of the guide asks for."""
        if wait := re.fullmatch(r"wait (\d+) s", line):
            await self._pass(int(wait[1]))
        elif power := re.fullmatch(r"pull the power after (\d+) s, and give it back", line):
            await self._pass(int(power[1]))
            await self.farm.stop()
            self._now_s += 60
            self.farm = self._fresh()
            await self.farm.start()
        elif line in ("open the lid", "close the lid"):
            await self.farm.write("plc-1", LID, [int(line.startswith("open"))])
        else:
            raise ValueError(f"nobody knows how to do this: {line}")

    async def poll(self, line: str) -> str:
        """What the program shows."""
        assert " -p 5020 " in line
        words = shlex.split(line.replace(" -p 5020 ", f" -p {self.farm.addresses['plc-1'].port} "))
        done = await asyncio.to_thread(
            subprocess.run,
            [str(program("mbpoll")), *words[1:]],
            capture_output=True,
            text=True,
            timeout=20,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    async def _pass(self, seconds: int) -> None:
        self._now_s += seconds
        await self.farm.tick()


def _steps() -> list[str]:
    blocks = re.findall(r"^```\n(.*?)^```$", README.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    return [line for block in blocks for line in block.splitlines() if line.startswith(("mbpoll ", "# "))]


async def test_commissioning_steps_show_what_the_guide_says(tmp_path: Path) -> None:
    """Every line is run in its order, and every number that it promises is there."""
    site = Site(tmp_path / "memory.json")
    await site.farm.start()
    shown, checked = "", 0
    try:
        for line in _steps():
            if line.startswith("mbpoll "):
                shown = await site.poll(line)
            elif seen := re.fullmatch(r"# (\[\d+\]): (\d+)", line):
                assert re.search(rf"^{re.escape(seen[1])}:\s+{seen[2]}\b", shown, re.MULTILINE), f"{line} in {shown}"
                checked += 1
            else:
                await site.do(line.removeprefix("# "))
    finally:
        await site.farm.stop()
    assert checked >= 15


def test_guide_makes_the_words_of_any_command() -> None:
    """The line that it gives prints them."""
    found = re.search(r'^python -c "(.+)"$', README.read_text(encoding="utf-8"), re.MULTILINE)
    assert found
    done = subprocess.run([sys.executable, "-c", found[1]], capture_output=True, text=True, check=True, timeout=60)
    expected = MailboxCommand(cmd_seq=10, last_seq=9, fence=3, op=1, arg_1=5).words()
    assert done.stdout.split() == [str(word) for word in expected]
