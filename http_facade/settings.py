"""What the operator of the facade may set, beside what it shares with the gateway."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Self

from pydantic import Field, ValidationInfo, field_validator, model_validator

from gateway.settings import EnrolmentSettings, Port, ServerSettings
from gateway.tls import LOOPBACK
from http_facade.token_file import ensure_token


class FacadeSettings(ServerSettings, EnrolmentSettings):
    """The environment of ``tidegate facade``, read once."""

    broker_username: str = Field(default="@facade", description="our name at the broker")
    http_host: str = Field(default="127.0.0.1", description="address to listen at")
    http_port: Port = Field(default=8080, description="port to listen at")
    http_certificate: Path | None = Field(
        default=None, description="file with our certificate and those above it; with it, HTTPS is served"
    )
    http_key: Path | None = Field(default=None, description="file with the certificate's key")
    http_proxies: Annotated[int, Field(ge=0, le=4)] = Field(
        default=0, description="proxies in front that end TLS; so many X-Forwarded-For and -Proto are believed"
    )
    http_plain: bool = Field(
        default=False, description="serve without TLS beyond this machine, since something in front sees to it"
    )
    http_second_person_from: Annotated[int, Field(ge=0, le=500)] = Field(
        default=0,
        description="groups of so many targets or more are run by another person than previews them; 0: none",
    )
    http_threads: Annotated[int, Field(ge=4, le=512)] = Field(
        default=96, description="requests worked on at once, those that wait for a PLC among them"
    )
    http_streams: Annotated[int, Field(ge=0, le=1_000)] = Field(
        default=250, description="streams open at once, each on a thread of its own"
    )
    http_token_file: Path = Field(
        default=Path(), description="file with the bearer token, made at first start; default: secrets/http-token"
    )

    @field_validator("http_token_file", mode="after")
    @classmethod
    def _token_file_in_home(cls, path: Path, info: ValidationInfo) -> Path:
        return info.data.get("home", Path(".tidegate")) / "secrets" / "http-token" if path == Path() else path

    @model_validator(mode="after")
    def _nothing_plain_beyond_this_machine(self) -> Self:
        if (self.http_certificate is None) != (self.http_key is None):
            raise ValueError("TIDEGATE_HTTP_CERTIFICATE and TIDEGATE_HTTP_KEY go together")
        open_to_all = self.http_certificate is None and self.http_host not in LOOPBACK
        if open_to_all and not self.http_proxies and not self.http_plain:
            raise ValueError(
                f"TIDEGATE_HTTP_HOST={self.http_host} would show tokens to the network: set TIDEGATE_HTTP_CERTIFICATE "
                "and TIDEGATE_HTTP_KEY, or, behind something that ends TLS, TIDEGATE_HTTP_PROXIES=1"
            )
        for path in (self.http_certificate, self.http_key):
            if path is not None and not path.is_file():
                raise ValueError(f"{path} is not there")
        return self

    @property
    def waiting_limit(self) -> int:
        """How many commands may wait for their ack at once; the other threads stay free for reads."""
        return self.http_threads - max(1, self.http_threads // 8)

    def http_token(self) -> str:
        """The bearer token; made if there is none yet. Raises SettingsError."""
        return ensure_token(self.http_token_file)
