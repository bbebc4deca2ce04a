"""What the operator of the facade may set, beside what it shares with the gateway."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import Field, ValidationInfo, field_validator

from gateway.settings import Port, ServerSettings
from http_facade.token_file import ensure_token


class FacadeSettings(ServerSettings):
    """The environment of ``tidegate facade``, read once."""

    broker_username: str = Field(default="@facade", description="our name at the broker")
    http_host: str = Field(default="127.0.0.1", description="address to listen at")
    http_port: Port = Field(default=8080, description="port to listen at")
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

    @property
    def waiting_limit(self) -> int:
        """How many commands may wait for their ack at once; the other threads stay free for reads."""
        return self.http_threads - max(1, self.http_threads // 8)

    def http_token(self) -> str:
        """The bearer token; made if there is none yet. Raises SettingsError."""
        return ensure_token(self.http_token_file)
