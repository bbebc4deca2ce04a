"""A systemd unit for a site's agent: unprivileged, and with no way to any address but those in the site's file."""

from __future__ import annotations

import ipaddress
import socket
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from gateway.protocol.errors import Fault, SettingsError
from site_agent.configuration import SiteConfiguration
from site_agent.identity import Identity

_UNIT: Final = """\
# Made by: tidegate agent unit --config {path}
# Make it again when the file names another PLC, broker or serial line: the addresses below are all that it may open.
[Unit]
Description=Tidegate agent of {site}
Wants=network-online.target
After=network-online.target

[Service]
Type=notify
NotifyAccess=main
WatchdogSec=30
Restart=always
RestartSec=2
ExecStart={python} -m gateway agent --config {path}{trust}
WorkingDirectory={folder}
# A write under way is finished, and 'stopped' is said.
TimeoutStopSec=30

# Nobody in particular, with no rights, who may write to the agent's own folder and, to renew it, its identity.
User={user}
ReadWritePaths={writable}
CapabilityBoundingSet=
AmbientCapabilities=
NoNewPrivileges=yes
UMask=0077

# It sees as much of the machine as it needs.
ProtectSystem=strict
ProtectHome={protect_home}
PrivateTmp=yes
{devices}
ProtectKernelTunables=yes
ProtectKernelModules=yes
ProtectKernelLogs=yes
ProtectControlGroups=yes
ProtectClock=yes
ProtectHostname=yes
ProtectProc=invisible
ProcSubset=pid
RemoveIPC=yes

# It does as little as it needs.
RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
LockPersonality=yes
MemoryDenyWriteExecute=yes
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallFilter=~@privileged @resources
SystemCallErrorNumber=EPERM

# It speaks to nobody else.
IPAddressDeny=any
{addresses}

[Install]
WantedBy=multi-user.target
"""


def unit(path: Path, configuration: SiteConfiguration, *, user: str, trust: Path | None = None) -> str:
    """The unit's text; with ``trust``, the agent asks for that trust file.

    Raises:
        SettingsError: a name in the file has no address here.
    """
    lines = [each.serial.device for each in configuration.plcs if each.serial is not None]
    # A serial line belongs to a group of the machine, which a private set of users does not have.
    serial = ["SupplementaryGroups=dialout", "DevicePolicy=closed", *(f"DeviceAllow={each} rw" for each in lines)]
    devices = serial if lines else ["PrivateUsers=yes", "PrivateDevices=yes"]
    writable = [configuration.agent.folder, *([configuration.broker.identity] if configuration.broker.identity else [])]
    home = any(each.is_relative_to(Path("/home")) for each in (path.resolve(), Path(sys.executable), *writable))
    return _UNIT.format(
        site=configuration.site,
        path=path.resolve(),
        trust="" if trust is None else f" --trust {trust.resolve()}",
        folder=path.resolve().parent,
        python=sys.executable,
        user=user,
        writable=" ".join(map(str, writable)),
        devices="\n".join(devices),
        protect_home="read-only" if home else "yes",
        addresses="\n".join(_allowed(configuration)),
    )


def _allowed(configuration: SiteConfiguration) -> Iterator[str]:
    named = dict.fromkeys(_hosts(configuration))
    faults = []
    for host in named:
        try:
            found = sorted({str(entry[4][0]) for entry in socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)})
        except OSError as error:
            faults.append(Fault(host, "unknown-host", f"{error}; the unit must name its address"))
            continue
        yield f"# {host}"
        yield f"IPAddressAllow={' '.join(found)}"
    if faults:
        raise SettingsError("the site's file", faults)
    if not all(map(_is_address, named)):
        yield "# who tells the addresses of names"
        yield f"IPAddressAllow={' '.join(_resolvers())}"


def _hosts(configuration: SiteConfiguration) -> Iterator[str]:
    yield configuration.broker.host
    if configuration.broker.identity is not None:
        yield urlsplit(Identity(configuration.broker.identity).centre).hostname or ""
    for plc in configuration.plcs:
        if plc.opcua is not None:
            yield urlsplit(plc.opcua.endpoint).hostname or ""
        elif plc.host is not None:
            yield plc.host


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _resolvers() -> Iterable[str]:
    try:
        lines = Path("/etc/resolv.conf").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    found = [words[1] for line in lines if (words := line.split())[:1] == ["nameserver"] and len(words) > 1]
    return [each for each in found if _is_address(each)] or ["localhost"]
