"""The last checks of a command, in the PLC's lane, directly before anything is written (I2, I12)."""

from __future__ import annotations

from gateway.protocol.codes import AckCode
from gateway.protocol.errors import Unavailable
from gateway.protocol.topics import WRITE
from site_agent.drivers.port import PlcError, PlcUnreachable
from site_agent.lane import Lane
from site_agent.outcome import Outcome, Task, Values, refused


async def last_checks(lane: Lane, task: Task) -> Outcome | None:
    """Why the command must be refused after all; None if it may go on.

    What is compared (the settings' revision, interlocks) is read now, in the lane, so nothing of ours comes between.
    """
    device = task.device
    interlocks = device.interlocks_for(task.name)
    wanted = {each.property for each in interlocks}
    if task.expect_revision is not None:
        wanted |= device.settings
    # What the PLC holds now is the evidence by which a lost write is told from a done one.
    former = task.former()
    wanted |= {name for name in task.input if name in device.settings and former.get(name) is None}
    try:
        if wanted:
            live: Values = device.decode(await lane.read(device.read_blocks(wanted)), wanted)
        else:
            await lane.ready()
            live = {}
    except PlcUnreachable as error:
        return refused(AckCode.PLC_LOST, str(error))
    except PlcError as error:
        return refused(AckCode.PLC_LOST, f"{error}; the command was not sent")
    if live:
        task.on_read(live)
    return _differs(task, live) or _interlocked(task, live) or too_late(task) or await _unremembered(task)


async def _unremembered(task: Task) -> Outcome | None:
    """Settings are proved by what was held before them, after a death too; to note that takes time."""
    if task.name != WRITE:
        return None
    try:
        await task.keep_former()
    except Unavailable as error:
        return refused(AckCode.JOURNAL_UNAVAILABLE, f"{error}; nothing was written")
    return too_late(task)


def too_late(task: Task) -> Outcome | None:
    """The two checks that time can undo: call it again after every wait, last of all before the write."""
    veto = task.veto()
    if veto is not None:
        return veto
    late_s = -task.remaining_s()
    if late_s >= 0:
        return refused(AckCode.DEADLINE_PASSED, f"{late_s:.1f} s too late when the PLC was free")
    return None


async def may_begin(lane: Lane, task: Task) -> Outcome | None:
    """:func:`too_late` with a connection at hand: to make one takes time, which must not pass after the check."""
    try:
        await lane.ready()
    except PlcUnreachable as error:
        return too_late(task) or refused(AckCode.PLC_LOST, f"{error}; the command was not sent")
    return too_late(task)


def _differs(task: Task, live: Values) -> Outcome | None:
    if task.expect_revision is None:
        return None
    held = {name: live[name] for name in task.device.settings}
    revision = task.device.revision(held)
    if revision == task.expect_revision:
        return None
    detail = f"the settings' revision is {revision}, not {task.expect_revision}"
    return refused(AckCode.EXPECT_FAILED, detail, held)


def _interlocked(task: Task, live: Values) -> Outcome | None:
    for each in task.device.interlocks_for(task.name):
        value = live[each.property]
        if each.holds(value):
            reads = "cannot be read" if value is None else f"reads {value}"
            detail = f"{each.title or each.name}: {each.property} {reads} (refused if {each.comparison} {each.value})"
            return refused(AckCode.INTERLOCKED, detail, {"interlock": each.name, "live": value})
    return None
