"""The machine itself: its clock and its disk."""

from __future__ import annotations

import shutil
import subprocess
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from gateway.doctor.finding import Finding, bad, doubtful, good
from gateway.protocol.errors import Unavailable
from gateway.tls import Tls

#: Certificates and charts bear this much; commands do not need the clock at all.
_APART_S: Final = 30.0
_TIMEOUT_S: Final = 5.0
_LITTLE: Final = 0.10
_TOO_LITTLE_BYTES: Final = 500_000_000


def synchronised_clock() -> Finding:
    """Whether the system keeps its clock right by itself, where it can tell."""
    program = shutil.which("timedatectl")
    now = datetime.now(UTC)
    if program is None:
        return good("clock", f"{now:%Y-%m-%d %H:%M:%S} UTC; this system does not tell whether it is kept right")
    asked = [program, "show", "--property=NTPSynchronized", "--value"]
    done = subprocess.run(asked, capture_output=True, text=True, check=False, timeout=_TIMEOUT_S)  # noqa: S603 # fixed words
    if done.stdout.strip() == "no":
        said = f"{now:%Y-%m-%d %H:%M:%S} UTC, and nothing keeps it right"
        return doubtful("clock", said, "timedatectl set-ntp true, or tell chrony of a time server on your network")
    return good("clock", f"{now:%Y-%m-%d %H:%M:%S} UTC" + (", kept right" if done.stdout.strip() == "yes" else ""))


def clock_beside(url: str, tls: Tls) -> Finding:
    """Our clock beside the centre's; raises Unavailable."""
    parts = urlsplit(url)
    host, secure = parts.hostname or "", parts.scheme == "https"
    connection = (
        HTTPSConnection(host, parts.port, timeout=_TIMEOUT_S, context=tls.context())
        if secure
        else HTTPConnection(host, parts.port, timeout=_TIMEOUT_S)
    )
    try:
        connection.request("GET", "/healthz")
        answer = connection.getresponse()
        theirs = parsedate_to_datetime(answer.headers["Date"])
    except (OSError, HTTPException, TypeError, ValueError) as error:
        raise Unavailable("centre", f"{url}: {error}") from None
    finally:
        connection.close()
    apart_s = (datetime.now(UTC) - theirs).total_seconds()
    if abs(apart_s) > _APART_S:
        said = f"{abs(apart_s):.0f} s {'before' if apart_s > 0 else 'behind'} the centre's"
        return bad("clock", said, "set it; certificates are judged by it: timedatectl set-ntp true")
    return good("centre", f"{url} answers, and its clock and ours agree")


def room(folder: Path) -> Finding:
    """Whether there is room where we store things."""
    there = next(each for each in (folder, *folder.absolute().parents) if each.exists())
    usage = shutil.disk_usage(there)
    said = f"{usage.free / 1e9:.1f} GB of {usage.total / 1e9:.1f} GB are free at {there}"
    if usage.free < _TOO_LITTLE_BYTES:
        return bad("disk", said, "make room: with a full disk no command is taken")
    if usage.free / usage.total < _LITTLE:
        return doubtful("disk", said, "make room soon; what is kept for how long: TIDEGATE_KEEP_SAMPLES_DAYS")
    return good("disk", said)
