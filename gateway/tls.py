"""Whom we trust on a connection, and how we prove who we are: the client's side of TLS."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from gateway.protocol.errors import Unavailable

#: Who speaks in clear with these speaks with this very machine.
LOOPBACK: Final = frozenset({"127.0.0.1", "localhost", "::1"})
#: What a broker does to a certificate that it will not have looks to us like a broken line.
REFUSED_HINT: Final = "it ended the connection unanswered, as it does where a certificate is revoked or expired"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tls:
    """``authority`` vouches for the server; None: whoever this machine trusts. ``certificate`` is ours, if we have one.

    ``key`` None: it stands in the certificate's file. The files are read at each connect, so a renewed one counts.
    """

    authority: Path | None = None
    certificate: Path | None = None
    key: Path | None = None

    def context(self) -> ssl.SSLContext:
        """Checks the server's name and chain, always; TLS 1.2 or newer.

        Raises:
            Unavailable: a file cannot be read, or is not what it should be.
        """
        try:
            made = ssl.create_default_context(cafile=None if self.authority is None else str(self.authority))
            made.minimum_version = ssl.TLSVersion.TLSv1_2
            if self.certificate is not None:
                made.load_cert_chain(self.certificate, self.key)
        except (OSError, ValueError) as error:
            named = ", ".join(str(each) for each in (self.authority, self.certificate, self.key) if each is not None)
            raise Unavailable("broker", f"no TLS with {named}: {error}") from None
        return made
