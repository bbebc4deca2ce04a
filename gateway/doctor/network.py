"""Names, ports and certificates on the way to a server."""

from __future__ import annotations

import socket
import ssl
from datetime import UTC, datetime
from typing import Final

from gateway.doctor.finding import Finding, bad, doubtful, good
from gateway.tls import Tls

_TIMEOUT_S: Final = 5.0
#: A certificate that ends within this many days is told.
_SOON_DAYS: Final = 21


def reached(about: str, host: str, port: int) -> Finding:
    """Whether the name is known, and somebody takes connections there."""
    try:
        addresses = sorted({str(each[4][0]) for each in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)})
    except OSError as error:
        return bad(about, f"{host} has no address: {error}", "check the name, and this network's name server")
    try:
        socket.create_connection((host, port), timeout=_TIMEOUT_S).close()
    except TimeoutError:
        said = f"{host} ({', '.join(addresses)}) does not answer at port {port}"
        return bad(about, said, "a firewall in between drops it: open the port from here to there")
    except OSError as error:
        return bad(about, f"{host}:{port}: {error}", "is the server running, and is the port the right one?")
    return good(about, f"{host}:{port} takes connections ({', '.join(addresses)})")


def certificate(about: str, host: str, port: int, tls: Tls) -> Finding:
    """Whether the server shows a certificate that we trust, of its name, and for how long; raises Unavailable."""
    context = tls.context()
    try:
        with (
            socket.create_connection((host, port), timeout=_TIMEOUT_S) as plain,
            context.wrap_socket(plain, server_hostname=host) as secure,
        ):
            shown = secure.getpeercert() or {}
            version = secure.version()
    except ssl.SSLCertVerificationError as error:
        said = f"{host}:{port} is not trusted: {error.verify_message}"
        return bad(about, said, "is ca.pem the authority's own (tidegate ca show --pem), and the name the one in it?")
    except OSError as error:
        return bad(about, f"{host}:{port} speaks no TLS with us: {error}", "is that the port with TLS?")
    end = datetime.fromtimestamp(ssl.cert_time_to_seconds(str(shown["notAfter"])), UTC)
    return lasting(about, f"{host}:{port} shows a certificate that we trust ({version})", end)


def lasting(about: str, said: str, end: datetime) -> Finding:
    """The same, with what its end means."""
    days = (end - datetime.now(UTC)).days
    said = f"{said}, good for {days} days"
    if days < 0:
        return bad(about, said, "renew it: see docs/enrolment.md")
    if days < _SOON_DAYS:
        return doubtful(about, said, "renew it before that: see docs/enrolment.md")
    return good(about, said)
