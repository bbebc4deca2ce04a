"""What an agent may take over: any right file where nobody is trusted in particular, else only a sealed one.

Nothing that is read here is read twice: the bytes whose seal was checked are those whose values count.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from gateway.protocol.errors import Fault, InvalidInput, SettingsError
from site_agent.configuration import AgentTable, SiteConfiguration
from site_agent.sealing.kept import Kept, read_bounded
from site_agent.sealing.seal import Seal, difference, read_seal
from site_agent.sealing.trust import NAME, Trust, read_trust
from site_agent.site_file import configuration_of
from site_agent.site_texts import SiteTexts, read_texts, texts_of


def seal_path(path: Path) -> Path:
    """Where the seal of a site's file is."""
    return path.with_name(f"{path.name}.seal")


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """A configuration that may be in force; ``trouble`` says why it is not that of the file that lies there.

    ``seal`` is None where nobody is trusted in particular, and then ``signers`` are none.
    """

    configuration: SiteConfiguration
    seal: Seal | None = None
    signers: tuple[str, ...] = ()
    trouble: str = ""


class Custody:
    """Of the site's file at ``path``; ``trust`` is the trust file, which must be there if it is named."""

    def __init__(self, path: Path, trust: Path | None = None) -> None:
        self.path = path
        self._named = trust is not None
        self.trust_path = trust or path.with_name(NAME)

    @property
    def watched(self) -> tuple[Path, ...]:
        """What counts beside the site's file and its profiles."""
        return seal_path(self.path), self.trust_path

    def check(self) -> Taken:
        """What the file that lies there says, if it may be taken over.

        Raises:
            SettingsError: it is wrong, or its seal is; lists every fault.
        """
        texts = read_texts(self.path)
        configuration = configuration_of(texts)
        trust = self._trust()
        if trust is None:
            self._see_that_none_was(configuration.agent.folder)
            return Taken(configuration=configuration)
        seal = self._seal()
        return Taken(configuration=configuration, seal=seal, signers=self._judge(seal, texts, configuration, trust))

    def keep(self, taken: Taken) -> None:
        """Remember what is about to be in force; raises SettingsError if the disk does not take it."""
        if taken.seal is not None:
            kept = Kept(taken.configuration.agent.folder)
            if kept.read() != taken.seal:
                kept.store(taken.seal)

    def begin(self) -> Taken:
        """What to start with: the file that lies there, or the last good one that was kept, and why.

        Raises:
            SettingsError: the file may not be taken over, and none was kept.
        """
        try:
            return self.check()
        except SettingsError as error:
            taken = self._last_good(error)
            if taken is None:
                raise
            return taken

    def _trust(self) -> Trust | None:
        try:
            return read_trust(self.trust_path)
        except FileNotFoundError:
            if self._named:
                raise SettingsError(str(self.trust_path), [_gone()]) from None
            return None

    def _see_that_none_was(self, folder: Path) -> None:
        if Kept(folder).path.exists():
            raise SettingsError(str(self.trust_path), [_gone()])

    def _seal(self) -> Seal:
        path = seal_path(self.path)
        try:
            return read_seal(read_bounded(path))
        except FileNotFoundError:
            detail = f"{self.trust_path.name} asks for a seal, and there is none: tidegate seal sign"
            raise SettingsError(str(path), [Fault("", "no-seal", detail)]) from None
        except OSError as error:
            raise SettingsError(str(path), [Fault("", "unreadable", str(error))]) from None
        except InvalidInput as error:
            raise SettingsError(str(path), error.faults) from None

    def _judge(self, seal: Seal, texts: SiteTexts, configuration: SiteConfiguration, trust: Trust) -> tuple[str, ...]:
        faults = [*difference(seal.statement, texts.digests())]
        names: tuple[str, ...] = ()
        try:
            seal.named()  # it is kept as it is: one whose own texts are others could not be gone on with
            names = trust.check(seal)
        except InvalidInput as error:
            faults += error.faults
        if configuration.site != trust.site:
            faults.append(Fault("/site", "other-site", f"{self.trust_path.name} is about {trust.site!r}"))
        if configuration.agent.folder != trust.folder:
            detail = f"{self.trust_path.name} says {trust.folder}, where the agent remembers what it took over"
            faults.append(Fault("/agent/folder", "other-folder", detail))
        faults += _older(seal, Kept(trust.folder).read())
        if faults:
            raise SettingsError(str(seal_path(self.path)), faults)
        return names

    def _last_good(self, error: SettingsError) -> Taken | None:
        """Its own faults, if it has any, stand beside those of the file."""
        trust: Trust | None = None
        with suppress(SettingsError):  # whoever took the keys away does not take away what they vouched for
            trust = self._trust()
        kept = Kept(self._folder() if trust is None else trust.folder)
        try:
            seal = kept.read()
            if seal is None:
                return None
            signers = () if trust is None else trust.check(seal)
            configuration = configuration_of(texts_of(self.path, seal.named()))
        except InvalidInput as other:
            more = [Fault(kept.path.name, each.code, f"the last good one: {each}") for each in other.faults]
            raise SettingsError(error.source, (*error.faults, *more)) from None
        faults = "; ".join(map(str, error.faults))
        trouble = f"the site file is refused, version {seal.statement.version} goes on: {faults}"
        return Taken(configuration=configuration, seal=seal, signers=signers, trouble=trouble)

    def _folder(self) -> Path:
        """The agent's folder, as far as anybody says."""
        folder = self.path.resolve().parent
        try:
            table = read_texts(self.path).raw.get("agent")
        except SettingsError:
            table = None
        named = table.get("folder") if isinstance(table, dict) else None
        return folder / (named if isinstance(named, str) else AgentTable().folder)


def _older(seal: Seal, kept: Seal | None) -> list[Fault]:
    """A version may only rise; one that was taken is never another one."""
    if kept is None:
        return []
    mine, last = seal.statement, kept.statement
    if mine.version < last.version:
        detail = f"version {mine.version} is older than {last.version}, which was in force; seal it as a newer one"
        return [Fault("", "older", detail)]
    if mine.version == last.version and mine != last:
        detail = f"another version {mine.version} was in force; seal this one as a newer one"
        return [Fault("", "same-version", detail)]
    return []


def _gone() -> Fault:
    detail = "it is gone, and the site's files are sealed; put it back (to end that for good: docs/sealing.md)"
    return Fault("", "no-trust", detail)
