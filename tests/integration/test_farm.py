"""The simulated farm, looked at by clients that share no code with it."""

from __future__ import annotations

import asyncio
import json
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from gateway.protocol.errors import SettingsError, Unavailable
from site_agent.simulator import block
from site_agent.simulator.farm import Farm
from tests.farms import Clock, ask, values
from tests.requirements import program

PLCS = ("plc-1", "plc-2")


@pytest.fixture
async def clock() -> Clock:
    return Clock(hour=8)


@pytest.fixture
async def farm(clock: Clock) -> AsyncIterator[Farm]:
    async with Farm(tick_s=0, now=clock) as farm:
        yield farm


@contextmanager
def running(folder: Path, *options: str) -> Iterator[subprocess.Popen[str]]:
    """The farm as a program, ready; it is stopped at the end."""
    ready = folder / "ready.json"
    ready.unlink(missing_ok=True)
    process = subprocess.Popen(
        [sys.executable, "-m", "gateway", "simulate", "--port", "0", "--ready-file", str(ready), *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        ended_early = _wait_until(ready.exists, process)
        assert not ended_early, process.communicate()[1]
        yield process
    finally:
        process.kill()
        process.communicate()


def _wait_until(condition: Callable[[], bool], process: subprocess.Popen[str]) -> bool:
    """Whether the process ended before the condition came true."""
    for _ in range(1000):
        if condition():
            return False
        try:
            process.wait(0.02)
        except subprocess.TimeoutExpired:
            continue
        return True
    raise TimeoutError("the farm is not ready")


def mbpoll(port: int, register: int, *written: int) -> str:
    """Read or write one holding register with the program that technicians use."""
    command = [
        str(program("mbpoll")),
        "-m",
        "tcp",
        "-p",
        str(port),
        "-0",
        "-r",
        str(register),
        "-1",
        "127.0.0.1",
        *map(str, written),
    ]
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=10).stdout


async def test_farm_shows_two_plcs_with_two_feeders_each(farm: Farm) -> None:
    """Both bases of both PLCs answer with a feeder's defaults."""
    for plc in PLCS:
        for base in (0, 100):
            held = await values(farm, plc=plc, base=base)
            assert (held["portion_g"], held["interval_min"], held["enabled"]) == (120, 30, True)


async def test_feeder_feeds_at_its_interval_into_the_registers(farm: Farm, clock: Clock) -> None:
    """Time alone moves the readings."""
    clock.now_s += 3600
    await farm.tick()
    held = await values(farm)
    assert (held["fed_today_g"], held["hopper_kg"]) == (240, 24.76)


async def test_setting_written_by_a_client_is_obeyed(farm: Farm, clock: Clock) -> None:
    """The register is the setting; nothing else remembers it."""
    assert await ask(farm, bytes.fromhex("06 0000 00c8")) == bytes.fromhex("06 0000 00c8")
    clock.now_s += 1800
    await farm.tick()
    assert (await values(farm))["fed_today_g"] == 200


async def test_feeder_switched_off_by_a_panel_rests(farm: Farm, clock: Clock) -> None:
    """A hand at the panel needs no Modbus."""
    await farm.write("plc-1", 2, [0])
    clock.now_s += 7200
    await farm.tick()
    assert (await values(farm))["fed_today_g"] == 0
    assert (await values(farm, base=100))["fed_today_g"] == 480


async def test_hopper_filled_by_a_panel_feeds_on(farm: Farm, clock: Clock) -> None:
    """The hopper's reading is its content."""
    _, empty = block.encode("hopper_kg", 0.0)
    offset, full = block.encode("hopper_kg", 10.0)
    await farm.write("plc-1", offset, empty)
    clock.now_s += 1800
    await farm.tick()
    assert (await values(farm))["fed_today_g"] == 0
    await farm.write("plc-1", offset, full)
    clock.now_s += 1800
    await farm.tick()
    assert (await values(farm))["hopper_kg"] == 9.88


async def test_midnight_resets_the_counter_of_the_day(farm: Farm, clock: Clock) -> None:
    """The registers start the day at zero."""
    clock.now_s = 23.9 * 3600
    await farm.tick()
    assert (await values(farm))["fed_today_g"] != 0
    await farm.write("plc-1", 2, [0])
    clock.now_s = 24 * 3600 + 1
    await farm.tick()
    assert (await values(farm))["fed_today_g"] == 0


async def test_speed_makes_farm_time_run_faster(clock: Clock) -> None:
    """A minute of the clock is an hour of the farm."""
    async with Farm(tick_s=0, now=clock, speed=60) as farm:
        clock.now_s += 60
        await farm.tick()
        assert (await values(farm))["fed_today_g"] == 240


async def test_farm_left_alone_lives_by_itself() -> None:
    """The ticks come without anybody asking."""
    async with Farm(tick_s=0.02, speed=36_000) as farm, asyncio.timeout(10):
        before = await values(farm)
        while await values(farm) == before:  # noqa: ASYNC110 # a farm tells nobody that it fed
            await asyncio.sleep(0.02)


@pytest.mark.parametrize(
    ("pdu", "reply"),
    [
        pytest.param("06 0006 0001", "86 02", id="a reading"),
        pytest.param("10 0002 0002 04 0001 0001", "90 02", id="a setting and a spare register"),
        pytest.param("06 0000 07d1", "86 03", id="portion above 2000"),
        pytest.param("10 0000 0002 04 0064 0000", "90 03", id="one good, one bad"),
        pytest.param("16 0000 0000 ffff", "96 03", id="mask write beyond the range"),
        pytest.param("06 0046 0001", "86 02", id="between the feeders"),
        pytest.param("03 0046 0001", "83 02", id="read between the feeders"),
        pytest.param("05 0000 ff00", "85 01", id="a coil"),
        pytest.param("04 0000 0001", "84 01", id="an input register"),
    ],
)
async def test_request_that_a_plc_would_refuse_is_refused_and_changes_nothing(farm: Farm, pdu: str, reply: str) -> None:
    """The PLC checks too, with the standard's codes."""
    before = await values(farm)
    assert await ask(farm, bytes.fromhex(pdu)) == bytes.fromhex(reply)
    assert await values(farm) == before


async def test_farm_on_a_taken_port_says_so() -> None:
    """No traceback for a port that another program has."""
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(Unavailable, match="listen"):
        await Farm(port=taken.getsockname()[1]).start()


async def test_farm_stopped_frees_its_ports(farm: Farm) -> None:
    """The same ports serve the next farm."""
    port = farm.addresses["plc-1"].port
    await farm.stop()
    with socket.create_server(("127.0.0.1", port)):
        assert farm.addresses == {}


async def test_memory_keeps_settings_and_hopper_over_a_restart(tmp_path: Path, clock: Clock) -> None:
    """With a battery, a power cycle costs nothing but time."""
    memory = tmp_path / "memory.json"
    async with Farm(tick_s=0, now=clock, memory=memory) as farm:
        await ask(farm, bytes.fromhex("06 0000 00c8"))
        clock.now_s += 1800
        await farm.tick()
        before = await values(farm)
    async with Farm(tick_s=0, now=clock, memory=memory) as farm:
        assert await values(farm) == before


async def test_memory_of_yesterday_starts_the_day_at_zero(tmp_path: Path, clock: Clock) -> None:
    """What was fed yesterday was not fed today."""
    memory = tmp_path / "memory.json"
    async with Farm(tick_s=0, now=clock, memory=memory) as farm:
        clock.now_s += 1800
        await farm.tick()
    clock.now_s += 24 * 3600
    async with Farm(tick_s=0, now=clock, memory=memory) as farm:
        assert (await values(farm))["fed_today_g"] == 0


async def test_memory_that_is_something_else_is_refused(tmp_path: Path) -> None:
    """A farm does not overwrite a file that it does not know."""
    memory = tmp_path / "memory.json"
    memory.write_text('{"something": "else"}')
    with pytest.raises(SettingsError, match=r"memory\.json"):
        await Farm(memory=memory).start()


async def test_setting_written_by_mbpoll_is_read_by_mbpoll(farm: Farm) -> None:
    """An independent Modbus client sees one register, not the one beside it."""
    port = farm.addresses["plc-2"].port
    await asyncio.to_thread(mbpoll, port, 100, 135)
    assert "[100]: \t135" in await asyncio.to_thread(mbpoll, port, 100)
    assert await farm.read("plc-2", 100, 1) == (135,)
    assert await farm.read("plc-2", 0, 1) == (120,)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_program_greets_reports_its_ports_and_stops_cleanly(tmp_path: Path, number: signal.Signals) -> None:
    """A signal ends it with success, after it told people and programs where it listened."""
    with running(tmp_path) as process:
        plcs = json.loads((tmp_path / "ready.json").read_text())["plcs"]
        process.send_signal(number)
        output, errors = process.communicate(timeout=10)
    assert set(plcs) == set(PLCS)
    assert process.returncode == 0, errors
    assert all(f"{plc['host']}:{plc['port']}  unit {plc['unit']}" in output for plc in plcs.values())
    assert "portion_g" in output
    assert "Traceback" not in errors


def test_program_killed_after_a_write_still_has_the_setting(tmp_path: Path) -> None:
    """Retentive memory holds from the write on, not from the next clean stop."""
    state = tmp_path / "state.json"
    with running(tmp_path, "--state", str(state)) as process:
        plc = json.loads((tmp_path / "ready.json").read_text())["plcs"]["plc-1"]
        with socket.create_connection((plc["host"], plc["port"]), timeout=5) as client:
            for frame in ("0001 0000 0006 01 06 0000 00c8", "0002 0000 0006 01 03 0000 0001"):
                client.sendall(bytes.fromhex(frame))
                assert client.recv(64)
        process.kill()
        process.wait(10)
    with running(tmp_path, "--state", str(state)):
        plc = json.loads((tmp_path / "ready.json").read_text())["plcs"]["plc-1"]
        with socket.create_connection((plc["host"], plc["port"]), timeout=5) as client:
            client.sendall(bytes.fromhex("0001 0000 0006 01 03 0000 0001"))
            assert client.recv(64)[-2:] == bytes.fromhex("00c8")
