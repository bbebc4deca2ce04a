"""The last seal that an agent took over, whole, in its own folder: its memory of versions, and what it goes on with."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from gateway.crash import point
from gateway.protocol.errors import Fault, InvalidInput, SettingsError
from site_agent.durable import put_in_place, written
from site_agent.sealing.seal import LARGEST, Seal, read_seal

#: As it was beside the site's file, texts and all.
NAME: Final = "sealed.json"


class Kept:
    """One file in the agent's folder. It is replaced in one step: a cut of power leaves the former or the next one."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / NAME

    def read(self) -> Seal | None:
        """The last seal; None if none was ever taken.

        Raises:
            SettingsError: there is one, and it cannot be read.
        """
        try:
            return read_seal(read_bounded(self.path))
        except FileNotFoundError:
            return None
        except OSError as error:
            raise SettingsError(str(self.path), [Fault("", "unreadable", str(error))]) from None
        except InvalidInput as error:
            raise SettingsError(str(self.path), error.faults) from None

    def store(self, seal: Seal) -> None:
        """Remember it before anything of it is in force.

        Raises:
            SettingsError: the disk does not take it.
        """
        point("agent-before-seal")
        try:
            fresh = written(self.path, seal.to_bytes())
            point("agent-wrote-seal")
            put_in_place(fresh, self.path)
        except OSError as error:
            raise SettingsError(str(self.path), [Fault("", "not-kept", str(error))]) from None
        point("agent-kept-seal")


def read_bounded(path: Path) -> bytes:
    """The file's content, or a little more of it than a seal may have; raises OSError."""
    with path.open("rb") as file:
        return file.read(LARGEST + 1)
