"""What the operator of gateway and facade may set, read once from the environment.

Secrets come from files, never from variables or arguments: both of those are seen by other processes. A PostgreSQL
password belongs in libpq's own password file (``PGPASSFILE``).
"""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationError, ValidationInfo, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from gateway.ages import Ages
from gateway.broker import Login
from gateway.credentials import weakness_of
from gateway.protocol.codec import faults_of
from gateway.protocol.errors import Fault, SettingsError
from gateway.tls import LOOPBACK, Tls

PREFIX = "TIDEGATE_"
_LAST_PORT: Final = 65_535
Port = Annotated[int, Field(ge=1, le=65_535)]
Days = Annotated[int, Field(ge=0, le=36_500)]
Seconds = Annotated[int, Field(ge=1, le=86_400)]


class DatabaseSettings(BaseSettings):
    """Where the central database is; each field is the environment variable of its name with ``TIDEGATE_`` before."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="ignore", env_ignore_empty=True)

    home: Path = Field(default=Path(".tidegate"), description="folder of everything we store")
    database_url: str = Field(
        default="", validate_default=True, description="SQLAlchemy URL; default: tidegate.db in the home folder"
    )

    @classmethod
    def read(cls) -> Self:
        """The settings of this process.

        Raises:
            SettingsError: it lists every variable that is wrong.
        """
        try:
            return cls()
        except ValidationError as error:
            raise SettingsError("the environment", map(_named, faults_of(error))) from None

    @field_validator("database_url", mode="after")
    @classmethod
    def _database_url_is_one(cls, url: str, info: ValidationInfo) -> str:
        if not url:
            home = info.data.get("home", Path(".tidegate"))
            return f"sqlite:///{home / 'tidegate.db'}"
        if url.startswith("sqlite:///"):
            return url
        password = urlsplit(url).password
        weakness = None if password is None else weakness_of(password)
        if weakness is not None:
            raise ValueError(f"its password: {weakness}")
        for start in ("postgresql://", "postgresql+psycopg://"):
            if url.startswith(start):
                return "postgresql+psycopg://" + url[len(start) :]
        raise ValueError("must begin with sqlite:/// or postgresql://")


class EnrolmentSettings(DatabaseSettings):
    """What sites need to be told when they enrol."""

    ca_folder: Path = Field(default=Path(), description="folder of the authority; default: ca in the home folder")
    public_url: str = Field(default="", description="where sites reach the facade, such as https://centre.example:8443")
    public_broker: str = Field(default="", description="HOST:PORT where sites reach the broker's TLS for machines")

    @field_validator("ca_folder", mode="after")
    @classmethod
    def _ca_folder_in_home(cls, path: Path, info: ValidationInfo) -> Path:
        return info.data.get("home", Path(".tidegate")) / "ca" if path == Path() else path

    @field_validator("public_url", mode="after")
    @classmethod
    def _public_url_is_one(cls, url: str) -> str:
        parts = urlsplit(url)
        if url and (parts.scheme not in {"https", "http"} or not parts.hostname or parts.path not in {"", "/"}):
            raise ValueError("must be https:// and a host, with a port if it is not 443, and no path")
        if parts.scheme == "http" and parts.hostname not in LOOPBACK:
            raise ValueError("must begin with https://; http:// is for this machine alone")
        return url.rstrip("/")

    @field_validator("public_broker", mode="after")
    @classmethod
    def _public_broker_is_one(cls, place: str) -> str:
        host, _, port = place.rpartition(":")
        if place and not (host and port.isdecimal() and 0 < int(port) <= _LAST_PORT):
            raise ValueError("must be HOST:PORT, such as broker.example:8884")
        return place

    @property
    def broker_address(self) -> tuple[str, int] | None:
        """Host and port where sites reach the broker; None if nobody said so."""
        host, _, port = self.public_broker.rpartition(":")
        return (host.strip("[]"), int(port)) if host else None


class BrokerFolderSettings(EnrolmentSettings):
    """Where the broker's files are, for commands that change who may come in; they run where the broker runs."""

    broker_folder: Path = Field(default=Path(), description="the broker's folder; default: broker in the home folder")
    broker_secrets: Path = Field(default=Path(), description="folder of its users' passwords; default: secrets in it")
    broker_reload: str = Field(
        default="", description="command that makes the broker read its files; default: SIGHUP by its pid file"
    )
    broker_host: str = Field(default="127.0.0.1", description="the broker's address")
    broker_port: Port = Field(default=1884, description="the broker's port for machines, without TLS")

    @model_validator(mode="before")
    @classmethod
    def _folders_in_home(cls, values: dict[str, Any]) -> dict[str, Any]:
        folder = Path(values.get("broker_folder") or Path(values.get("home", ".tidegate")) / "broker")
        return {"broker_secrets": folder / "secrets", **values, "broker_folder": folder}


class ServerSettings(DatabaseSettings):
    """What gateway and facade share."""

    broker_host: str = Field(default="127.0.0.1", description="the broker's address")
    broker_port: Port = Field(default=1884, description="the broker's port for machines")
    broker_username: str = Field(default="@gateway", description="our name at the broker")
    broker_ca_file: Path | None = Field(
        default=None, description="file with the authority that vouches for the broker; with it, TLS is spoken"
    )
    broker_certificate_file: Path | None = Field(
        default=None, description="file with our certificate and its key, in place of a password; only with TLS"
    )
    broker_password_file: Path = Field(
        default=Path(),
        description="file with our password; default: secrets/<user name> in the home folder; not with a certificate",
    )
    redis_url: str = Field(default="redis://127.0.0.1:6379/0", description="where Redis is, without a password")
    redis_password_file: Path | None = Field(default=None, description="file with the password of Redis")
    heartbeat_s: Seconds = Field(default=20, description="seconds between two heartbeats of an agent")
    alive_expiry_s: Seconds = Field(default=25, description="seconds that a heartbeat keeps the gate open")
    keep_samples_days: Days = Field(default=400, description="days that every sample is kept; 0: for ever")
    keep_minutes_days: Days = Field(default=1_200, description="days that what a minute of samples comes to is kept")
    keep_hours_days: Days = Field(default=0, description="the same for hours")
    keep_events_days: Days = Field(default=0, description="days that events are kept")
    keep_commands_days: Days = Field(default=0, description="days that commands are kept once they are final")
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(default="INFO", description="least level logged")

    @field_validator("broker_password_file", mode="after", check_fields=True)
    @classmethod
    def _password_is_there(cls, path: Path, info: ValidationInfo) -> Path:
        if path == Path() and "home" in info.data and "broker_username" in info.data:
            path = info.data["home"] / "secrets" / info.data["broker_username"]
        if info.data.get("broker_certificate_file") is None:
            _read_secret(path)
        return path

    @field_validator("redis_password_file", mode="after")
    @classmethod
    def _redis_password_is_there(cls, path: Path | None) -> Path | None:
        if path is not None:
            _read_secret(path)
        return path

    @field_validator("redis_url", mode="after")
    @classmethod
    def _redis_url_is_one(cls, url: str) -> str:
        parts = urlsplit(url)
        if parts.scheme not in {"redis", "rediss", "unix"}:
            raise ValueError("must begin with redis://, rediss:// or unix://")
        if parts.password:
            raise ValueError(f"must not hold a password; put it in a file and name that in {PREFIX}REDIS_PASSWORD_FILE")
        return url

    @field_validator("alive_expiry_s", mode="after")
    @classmethod
    def _expiry_outlives_heartbeat(cls, expiry_s: int, info: ValidationInfo) -> int:
        heartbeat_s = info.data.get("heartbeat_s")
        if heartbeat_s is not None and expiry_s <= heartbeat_s:
            raise ValueError(
                f"must be above {PREFIX}HEARTBEAT_S = {heartbeat_s}, or the gate would close between beats"
            )
        return expiry_s

    @property
    def login(self) -> Login:
        """Our place and name at the broker."""
        return Login(
            host=self.broker_host,
            port=self.broker_port,
            username=self.broker_username,
            password=None if self.broker_certificate_file is not None else _read_secret(self.broker_password_file),
            tls=self._tls,
        )

    @property
    def _tls(self) -> Tls | None:
        if self.broker_ca_file is None:
            return None
        return Tls(authority=self.broker_ca_file, certificate=self.broker_certificate_file)

    @property
    def ages(self) -> Ages:
        """How long each kind of row is kept."""
        kinds = ("samples", "minutes", "hours", "events", "commands")
        return Ages(
            **{kind: timedelta(days=days) if (days := getattr(self, f"keep_{kind}_days")) else None for kind in kinds}
        )

    @property
    def redis_password(self) -> SecretStr | None:
        """The password of Redis, if it wants one."""
        return None if self.redis_password_file is None else _read_secret(self.redis_password_file)


def _read_secret(path: Path) -> SecretStr:
    try:
        secret = path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"{path} cannot be read: {error}") from None
    if not secret:
        raise ValueError(f"{path} is empty")
    weakness = weakness_of(secret)
    if weakness is not None:
        raise ValueError(f"{path}: {weakness}")
    return SecretStr(secret)


def _named(fault: Fault) -> Fault:
    name = fault.pointer.lstrip("/").upper()
    return Fault(PREFIX + name if name else "", fault.code, fault.detail)
