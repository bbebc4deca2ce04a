"""The farm's retentive memory: what its PLCs held, kept in a file over a restart."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from gateway.protocol.errors import Fault, SettingsError
from site_agent.simulator.block import SIZE
from site_agent.simulator.dosing import Run

Word = Annotated[int, Field(ge=0, le=0xFFFF)]
Block = Annotated[list[Word], Field(max_length=SIZE)]


class Retained(BaseModel):
    """Words by PLC and base register, and the day (of the farm's calendar) they were kept on."""

    model_config = ConfigDict(extra="forbid")

    day: int
    plcs: dict[str, dict[int, Block]]
    #: Doses under way.
    runs: dict[str, dict[int, Run]] = {}


def recall(path: Path) -> Retained | None:
    """What was kept, or None if nothing was yet.

    Raises:
        SettingsError: the file is there but holds something else.
    """
    try:
        return Retained.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        return None
    except OSError as error:
        raise SettingsError(str(path), [Fault("", "unreadable", str(error))]) from None
    except ValidationError as error:
        detail = f"is no memory of a farm ({error.error_count()} faults); delete it to start with a fresh one"
        raise SettingsError(str(path), [Fault("", "not-a-memory", detail)]) from None


def keep(path: Path, retained: Retained) -> None:
    """Replace the file as a whole, so that a kill at any moment leaves the old memory or the new one."""
    fresh = path.with_name(f".{path.name}.new")
    fresh.write_text(retained.model_dump_json(), encoding="utf-8")
    os.replace(fresh, path)
