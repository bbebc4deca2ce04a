"""`tidegate plc` against PLCs of two makers of ours and one of somebody else's: right things found, nothing written."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
from click.testing import CliRunner, Result

from gateway.protocol.errors import InvalidInput
from site_agent.commissioning.command import plc as command
from site_agent.registers import Space
from site_agent.simulator.farm import Farm
from tests import plc_faults as faults
from tests.documentation import fences
from tests.plc import FaultyPlc, Write
from tests.plc_independent import IndependentPlc

SITE: Final = """\
site = "arava-1"
[broker]
password_file = "secret"
[[plcs]]
name = "plc-1"
host = "127.0.0.1"
port = {port}
timeout_s = 0.5
{plc}
[[devices]]
id = "feeder-1"
plc = "plc-1"
profile = "fish-feeder"
{device}
"""
#: 25 kg and 100 000 g, the words in the order of the profile.
HOPPER, TOTAL = (0x41C8, 0), (1, 0x86A0)


@pytest.fixture
def plc() -> Iterator[FaultyPlc]:
    """A feeder's PLC with a hundred holding registers, and no other table."""
    with FaultyPlc.running(size=100) as running:
        running.set(0, 120, 30, 1, 0, *HOPPER)
        running.set(14, *TOTAL)
        yield running


def _site(folder: Path, port: int, plc: str = "", device: str = "") -> Path:
    path = folder / "site.toml"
    path.write_text(SITE.format(port=port, plc=plc, device=device), encoding="utf-8")
    return path


def _run(*words: object) -> Result:
    return CliRunner().invoke(command, [str(each) for each in words], catch_exceptions=False)


def _json(*words: object) -> Any:  # noqa: ANN401 # any JSON
    return json.loads(_run(*words, "--json").stdout)


def _values(found: Any) -> dict[str, Any]:  # noqa: ANN401 # a PLC's part of the JSON
    return {each["name"]: each for each in found["values"]}


def test_scan_finds_the_ranges_that_can_be_read(plc: FaultyPlc) -> None:
    """To the register, in the tables that the PLC has; and what is in use."""
    plc.registers[50:60] = range(1, 11)
    found = _json("scan", f"127.0.0.1:{plc.port}", "--to", 300)
    assert found == [{"table": "holding", "first": 0, "last": 99, "used": 16}]
    assert plc.writes == []


def test_scan_of_another_make_finds_all_four_tables() -> None:
    """Bits and words alike."""
    with IndependentPlc.running(registers=70) as other:
        other.set(Space.COIL, 69, 1)
        found = _json("scan", f"127.0.0.1:{other.port}", "--to", 200)
        assert [(each["table"], each["first"], each["last"], each["used"]) for each in found] == [
            ("holding", 0, 69, 0),
            ("input", 0, 69, 0),
            ("coil", 0, 69, 1),
            ("discrete", 0, 69, 0),
        ]


def test_read_shows_words_values_and_what_they_were_in_other_orders(plc: FaultyPlc, tmp_path: Path) -> None:
    """As a technician compares them with the panel."""
    (found,) = _json("read", _site(tmp_path, plc.port))["plcs"]
    hopper = _values(found)["hopper_kg"]
    assert (hopper["words"], hopper["value"], hopper["unit"]) == ([0x41C8, 0], 25.0, "kg")
    assert set(hopper["others"]) == {
        "words little, bytes big",
        "words big, bytes little",
        "words little, bytes little",
    }
    total = _values(found)["fed_total_g"]
    assert (total["value"], total["others"]["words little, bytes big"]) == (100_000, 0x86A0_0001)
    assert "41c8 0000" in _run("read", tmp_path / "site.toml").stdout
    assert plc.writes == []


def test_check_of_a_right_file_times_the_plc_and_ends_well(plc: FaultyPlc, tmp_path: Path) -> None:
    """Latency, the largest block, the transaction ids, and how many requests a poll takes."""
    path = _site(tmp_path, plc.port)
    (found,) = _json("check", path, "--report", tmp_path / "kept.json")["plcs"]
    assert found["right"]
    assert (found["largest_read"], found["echoes_transactions"], found["requests_per_poll"]) == (100, True, 1)
    assert found["timing"]["least_ms"] <= found["timing"]["median_ms"] <= found["timing"]["most_ms"]
    (kept,) = json.loads((tmp_path / "kept.json").read_text())["plcs"]
    assert kept["values"] == found["values"]
    assert _run("check", path).exit_code == 0
    assert plc.writes == []


def test_check_tells_in_which_order_a_value_would_be_believable(plc: FaultyPlc, tmp_path: Path) -> None:
    """25 kg, read with the low word first, is next to nothing."""
    device = '[devices.properties.hopper_kg]\nword_order = "little"'
    done = _run("check", _site(tmp_path, plc.port, device=device))
    assert done.exit_code == 1
    assert "LOOK AT feeder-1.hopper_kg" in done.stdout
    assert "it would be 25 with words big, bytes big" in done.stdout.replace("\n", "")


def test_check_of_a_wrong_address_names_the_value_and_reads_the_rest(plc: FaultyPlc, tmp_path: Path) -> None:
    """Before anything is written anywhere."""
    done = _json("check", _site(tmp_path, plc.port, device="[devices.properties.lid_open]\nregister = 101"))
    values = _values(done["plcs"][0])
    assert "illegal data address" in values["lid_open"]["fault"]
    assert [name for name, each in values.items() if each["fault"]] == ["lid_open"]
    assert values["portion_g"]["value"] == 120


def test_check_of_a_plc_with_another_marker_is_wrong(plc: FaultyPlc, tmp_path: Path) -> None:
    """It may be somebody else's."""
    marker = 'marker = {type = "uint16", register = 90, value = 4711}'
    done = _run("check", _site(tmp_path, plc.port, plc=marker))
    assert done.exit_code == 1
    assert "reads 0 and should be 4711" in done.stdout
    plc.set(90, 4711)
    assert _run("check", tmp_path / "site.toml").exit_code == 0


@pytest.mark.parametrize(
    ("fault", "words"),
    [(faults.TRANSACTION_0, "does not echo transaction ids"), (faults.DROP, "gave no whole answer within 0.5 s")],
    ids=["transaction 0", "mute"],
)
def test_check_of_a_plc_with_a_habit_says_which(
    plc: FaultyPlc, tmp_path: Path, fault: faults.Fault, words: str
) -> None:
    """It is not the file's fault."""
    plc.misbehave(fault, times=None)
    done = _run("check", _site(tmp_path, plc.port))
    assert done.exit_code == 1
    assert words in done.stdout.replace("\n", " ")


def test_check_of_nothing_at_the_address_says_so(tmp_path: Path) -> None:
    """A cable, a firewall, a typing mistake."""
    with IndependentPlc.running() as gone:
        port = gone.port
    done = _run("check", _site(tmp_path, port))
    assert done.exit_code == 1
    assert "accepts no connection" in done.stdout.replace("\n", " ")


# --- trying ------------------------------------------------------------------------------------------------


def test_try_writes_one_setting_and_puts_the_former_value_back(plc: FaultyPlc, tmp_path: Path) -> None:
    """Two writes in all, and the PLC is as it was."""
    done = _run("check", _site(tmp_path, plc.port), "--try", "feeder-1.portion_g=125")
    assert done.exit_code == 0
    assert "120 -> 125 -> 120" in done.stdout
    assert plc.writes == [Write(6, 0, (125,)), Write(6, 0, (120,))]


@pytest.mark.parametrize(
    ("wish", "reason"),
    [
        ("feeder-1.portion_g=123", "not a multiple of 5"),
        ("feeder-1.portion_g=9000", "above the maximum"),
        ("feeder-1.hopper_kg=3", "cannot be written"),
        ("feeder-1.portion=125", "no such setting"),
        ("feder-1.portion_g=125", "Did you mean 'feeder-1'"),
        ("feeder-1", "write --try"),
    ],
)
def test_try_of_what_may_not_be_written_sends_nothing(plc: FaultyPlc, tmp_path: Path, wish: str, reason: str) -> None:
    """The file's limits count here too."""
    with pytest.raises(InvalidInput, match=reason):
        _run("check", _site(tmp_path, plc.port), "--try", wish)
    assert plc.writes == []


def test_try_at_a_plc_that_lies_is_told(plc: FaultyPlc, tmp_path: Path) -> None:
    """It confirms, and holds what it held."""
    plc.misbehave(faults.LIE, on=faults.WRITES)
    done = _run("check", _site(tmp_path, plc.port), "--try", "feeder-1.portion_g=125")
    assert done.exit_code == 1
    assert "asked for 125, reads 120" in done.stdout


def test_try_whose_answer_is_lost_is_judged_by_reading(plc: FaultyPlc, tmp_path: Path) -> None:
    """On a new connection; the former value comes back all the same."""
    plc.misbehave(faults.LOST, on=faults.WRITES)
    done = _run("check", _site(tmp_path, plc.port), "--try", "feeder-1.portion_g=125")
    assert done.exit_code == 0
    assert plc.get(0) == (120,)


def test_try_that_cannot_put_the_former_value_back_is_loud(plc: FaultyPlc, tmp_path: Path) -> None:
    """Somebody must go there."""
    plc.misbehave(faults.refuse(3), on=faults.WRITES, after=1)
    done = _run("check", _site(tmp_path, plc.port), "--try", "feeder-1.portion_g=125")
    assert done.exit_code == 1
    assert "THE FORMER VALUE 120 IS NOT BACK" in done.stdout


def test_try_is_left_out_while_something_is_wrong(plc: FaultyPlc, tmp_path: Path) -> None:
    """First make right what is wrong."""
    path = _site(tmp_path, plc.port, device="[devices.properties.lid_open]\nregister = 101")
    done = _run("check", path, "--try", "feeder-1.portion_g=125")
    assert done.exit_code == 1
    assert "Nothing was tried" in done.stdout
    assert plc.writes == []


def test_try_puts_back_the_words_and_not_what_they_read(plc: FaultyPlc, tmp_path: Path) -> None:
    """The value is read elsewhere, where the PLC shows something else."""
    device = "[devices.properties.portion_g]\nverify = {register = 30}"
    plc.set(0, 200)
    plc.set(30, 150)
    done = _run("check", _site(tmp_path, plc.port, device=device), "--try", "feeder-1.portion_g=125")
    assert done.exit_code == 1
    assert "asked for 125, reads 150" in done.stdout
    assert plc.get(0) == (200,)


def test_try_under_an_interlock_sends_nothing(plc: FaultyPlc, tmp_path: Path) -> None:
    """Somebody works at the feeder."""
    lock = '[[devices.interlocks]]\nname = "lid"\nproperty = "lid_open"\ncomparison = "equals"\nvalue = true\n'
    plc.set(10, 1)
    path = _site(tmp_path, plc.port, device=lock + 'commands = ["write"]')
    with pytest.raises(InvalidInput, match="lid"):
        _run("check", path, "--try", "feeder-1.portion_g=125")
    assert plc.writes == []


def test_try_at_a_plc_that_was_not_checked_sends_nothing(plc: FaultyPlc, tmp_path: Path) -> None:
    """Its marker was not looked at."""
    path = _site(tmp_path, plc.port)
    with FaultyPlc.running() as other:
        path.write_text(path.read_text() + f'[[plcs]]\nname = "plc-2"\nhost = "127.0.0.1"\nport = {other.port}\n')
        with pytest.raises(InvalidInput, match="was not checked"):
            _run("check", path, "--plc", "plc-2", "--try", "feeder-1.portion_g=125")
    assert plc.writes == []


def test_check_of_a_gap_that_the_plc_refuses_is_wrong(tmp_path: Path) -> None:
    """Each value can be read, but not as the agent would read them."""
    with FaultyPlc.running(holes={7}) as plc:
        plc.set(0, 120, 30, 1, 0, *HOPPER)
        done = _run("check", _site(tmp_path, plc.port))
        assert done.exit_code == 1
        assert "it refuses holding 0 to 15 in one request" in done.stdout.replace("\n", " ")
        with_hole = _site(tmp_path, plc.port, plc="unreadable = [[7, 7]]")
        assert _run("check", with_hole).exit_code == 0


async def test_commissioning_page_runs_as_it_stands(tmp_path: Path) -> None:
    """Each line, in its order, on the simulated farm; the farm is as it was."""
    page = Path("docs/commissioning.md")
    (text,) = (each.text for each in fences(page, "sh", "site.toml"))
    lines = [each.text for each in fences(page, "sh") if each.info == ("sh",)]
    async with Farm() as farm:
        before = await farm.read("plc-1", 0, 10)
        port = str(farm.addresses["plc-1"].port)
        (tmp_path / "site.toml").write_text(text.replace("5020", port), encoding="utf-8")
        for line in lines:
            words = line.replace("5020", port).split()
            assert words[0] == "tidegate"
            done = await asyncio.to_thread(_shell, [sys.executable, "-m", "gateway", *words[1:]], tmp_path)
            assert done.returncode == 0, f"{line}{done.stdout}{done.stderr}"
        assert list(await farm.read("plc-1", 0, 3)) == list(before)[:3]
    assert json.loads((tmp_path / "commissioned.json").read_text())["plcs"][0]["right"]


def _shell(argv: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    path = {**os.environ, "PYTHONPATH": str(Path.cwd())}
    return subprocess.run(argv, cwd=folder, env=path, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize("size", [18, 60, 61, 100])
def test_check_finds_how_many_registers_are_answered_at_once(tmp_path: Path, size: int) -> None:
    """To the register: here, as many as there are."""
    with FaultyPlc.running(size=size) as small:
        small.set(0, 120, 30, 1, 0, *HOPPER)
        (found,) = _json("check", _site(tmp_path, small.port))["plcs"]
        assert found["largest_read"] == size


def test_scan_that_finds_nothing_says_so_and_fails(plc: FaultyPlc) -> None:
    """Mostly it is a wrong unit."""
    done = _run("scan", f"127.0.0.1:{plc.port}", "--table", "coil", "--to", 100)
    assert (done.exit_code, "unit 1 lets nothing be read" in done.output) == (1, True)


def test_read_of_a_plc_that_does_not_answer_fails(tmp_path: Path) -> None:
    """A script must not go on as if something had been read."""
    assert _run("read", _site(tmp_path, 1)).exit_code == 1


def test_marker_that_cannot_be_read_is_named(plc: FaultyPlc, tmp_path: Path) -> None:
    """The register that the PLC refuses is the marker's."""
    marker = '[plcs.marker]\ntype = "uint16"\nregister = 900\nvalue = 7'
    done = _run("check", _site(tmp_path, plc.port, plc=marker))
    assert "the marker at holding 900: refused" in done.output


def test_json_of_a_trial_is_nothing_but_json(plc: FaultyPlc, tmp_path: Path) -> None:
    """Whatever the parts that do it would log."""
    argv = [sys.executable, "-m", "gateway", "plc", "check", str(_site(tmp_path, plc.port)), "--try"]
    done = subprocess.run([*argv, "feeder-1.portion_g=125", "--json"], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout)["trial"]["restored"] == 120


def test_report_says_of_which_site_and_when(plc: FaultyPlc, tmp_path: Path) -> None:
    """It is to be kept."""
    _run("read", _site(tmp_path, plc.port), "--report", tmp_path / "kept.json")
    kept = json.loads((tmp_path / "kept.json").read_text())
    assert kept["site"] == "arava-1"
    assert {"at", "version", "plcs"} <= kept.keys()
