"""What an installation is told by its environment variables, read once, checked, with a cure for each mistake.

The names are in docs/operations/settings.md. Nothing else in the application reads the environment.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, unquote, urlsplit

from duecourse.core.errors import UsageError

DEFAULT_URL = "http://127.0.0.1:8000"
DATABASE_FILE, SECRET_FILE = "duecourse.sqlite3", "secret-key"
LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")
MAIL_PORTS = {"smtp": 25, "smtp+tls": 587, "smtps": 465}


@dataclass(frozen=True, slots=True)
class MailServer:
    """Where messages are handed over; ``tls`` upgrades the connection, ``ssl`` opens it encrypted."""

    host: str
    port: int
    user: str
    password: str
    tls: bool
    ssl: bool


@dataclass(frozen=True, slots=True)
class SingleSignOn:
    """One OpenID Connect provider of the organisation."""

    name: str
    issuer: str
    client_id: str
    client_secret: str

    @property
    def origin(self) -> str:
        """Scheme and host of the provider, as a content security policy names it."""
        parts = urlsplit(self.issuer)
        return f"{parts.scheme}://{parts.netloc}"


@dataclass(frozen=True, slots=True)
class Environment:
    """The settings of one installation. ``database`` is in the form of Django's ``DATABASES``."""

    url: str
    data_dir: Path
    database: dict[str, Any]
    secret_key: str
    mail: MailServer | None
    mail_from: str
    sign_on: SingleSignOn | None
    needs_second_factor: bool
    log_level: str

    @property
    def host(self) -> str:
        """The host name by which people reach the application."""
        name = urlsplit(self.url).hostname or ""
        return f"[{name}]" if ":" in name else name

    @property
    def secure(self) -> bool:
        """Whether people reach it over TLS; then cookies are marked secure and HSTS is sent."""
        return self.url.startswith("https://")


def read_environment(given: Mapping[str, str], *, here: Path) -> Environment:
    """The settings that ``given`` describes; ``here`` is the directory that relative paths start from.

    Raises UsageError with the variable, what was expected and the cure.
    """
    data_dir = (here / given.get("DUECOURSE_DATA_DIR", "duecourse-data")).resolve()
    level = given.get("DUECOURSE_LOG_LEVEL", "INFO").upper()
    if level not in LOG_LEVELS:
        raise _wrong("DUECOURSE_LOG_LEVEL", level, f"one of {', '.join(LOG_LEVELS)}")
    url = _url(given.get("DUECOURSE_URL", DEFAULT_URL))
    return Environment(
        url=url,
        data_dir=data_dir,
        database=_database(given.get("DUECOURSE_DATABASE_URL", ""), data_dir),
        secret_key=given.get("DUECOURSE_SECRET_KEY", "") or _stored_secret(data_dir),
        mail=_mail(given.get("DUECOURSE_MAIL_URL", "")),
        mail_from=given.get("DUECOURSE_MAIL_FROM", "duecourse@localhost"),
        sign_on=_sign_on(given),
        needs_second_factor=_second_factor(given.get("DUECOURSE_SECOND_FACTOR", ""), secure=url.startswith("https:")),
        log_level=level,
    )


def make_data_dir(data_dir: Path) -> None:
    """Make ``data_dir``, open to its owner only, unless it is there. Raises UsageError where it cannot be made."""
    try:
        data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise _wrong("DUECOURSE_DATA_DIR", str(data_dir), f"a directory that can be written ({error})") from None


def make_secret(data_dir: Path) -> None:
    """Write a new secret key into ``data_dir``, readable by its owner only, unless there is one."""
    make_data_dir(data_dir)
    file = data_dir / SECRET_FILE
    if not _stored_secret(data_dir):
        file.touch(mode=0o600)
        file.write_text(secrets.token_urlsafe(64), encoding="ascii")


def _stored_secret(data_dir: Path) -> str:
    file = data_dir / SECRET_FILE
    return file.read_text(encoding="ascii").strip() if file.is_file() else ""


def _wrong(variable: str, value: str, expected: str) -> UsageError:
    return UsageError(f"{variable} is {value!r}: expected {expected}; set it anew, or unset it for the default")


def _url(text: str) -> str:
    parts = _split(text)
    if parts is None or parts.scheme not in {"http", "https"} or parts.path not in {"", "/"} or parts.query:
        raise _wrong("DUECOURSE_URL", text, "the address people type, such as https://duecourse.example.com")
    return f"{parts.scheme}://{parts.netloc}"


def _split(url: str) -> SplitResult | None:
    """The parts of an address; None where it names no host, or a port that is no number."""
    try:
        parts = urlsplit(url)
        return parts if parts.hostname and parts.port != 0 else None
    except ValueError:
        return None


def _hidden(url: str) -> str:
    """An address without the password in it, for a message."""
    return re.sub(r"//.*@", "//***@", url)


def _second_factor(text: str, *, secure: bool) -> bool:
    """Required unless the application is reached without TLS, which is a trial on one's own machine."""
    if text not in {"", "required", "optional"}:
        raise _wrong("DUECOURSE_SECOND_FACTOR", text, "required or optional")
    return text == "required" or (not text and secure)


def _database(url: str, data_dir: Path) -> dict[str, Any]:
    """Django's form of the database; SQLite as reliability needs it: WAL, full sync, write locks taken at once."""
    import dj_database_url

    if not url:
        url = f"sqlite:///{data_dir / DATABASE_FILE}"
    scheme = url.partition(":")[0]
    try:
        if scheme not in {"sqlite", "postgres", "postgresql"}:
            raise ValueError(scheme)
        database: dict[str, Any] = dict(dj_database_url.parse(url, conn_max_age=600, conn_health_checks=True))
    except ValueError:
        expected = "postgresql://user@host/name or sqlite:////full/path/file.sqlite3"
        raise _wrong("DUECOURSE_DATABASE_URL", _hidden(url), expected) from None
    if scheme == "sqlite":
        database["OPTIONS"] = {
            "transaction_mode": "IMMEDIATE",
            "timeout": 20,
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON;",
        }
    return database


def _mail(url: str) -> MailServer | None:
    if not url:
        return None
    parts = _split(url)
    if parts is None or parts.scheme not in MAIL_PORTS:
        expected = "smtp+tls://user:password@host:587, smtps://... or smtp://..."
        raise _wrong("DUECOURSE_MAIL_URL", _hidden(url), expected)
    return MailServer(
        parts.hostname or "", parts.port or MAIL_PORTS[parts.scheme], unquote(parts.username or ""),
        unquote(parts.password or ""), tls=parts.scheme == "smtp+tls", ssl=parts.scheme == "smtps",
    )  # fmt: skip


def _sign_on(given: Mapping[str, str]) -> SingleSignOn | None:
    names = ("DUECOURSE_OIDC_ISSUER", "DUECOURSE_OIDC_CLIENT_ID", "DUECOURSE_OIDC_CLIENT_SECRET")
    values = [given.get(name, "") for name in names]
    if not any(values):
        return None
    missing = [name for name, value in zip(names, values, strict=True) if not value]
    if missing:
        raise UsageError(f"single sign-on needs {' and '.join(missing)} too; set them, or unset DUECOURSE_OIDC_*")
    if not values[0].startswith("https://"):
        raise _wrong(names[0], values[0], "an https address of the provider")
    return SingleSignOn(given.get("DUECOURSE_OIDC_NAME", "Single sign-on"), *values)
