"""Settings from the environment, typed; a bad value stops the start and says how to mend it.

Every variable is documented in deploy/env.example.
"""

from __future__ import annotations

import contextlib
import os
import re
import tempfile
from pathlib import Path
from typing import Any, Final, NamedTuple
from urllib.parse import SplitResult, parse_qs, quote, unquote, urlsplit

_SECRET_LENGTH: Final = 50  # characters; below it Django warns, and rightly
_THIS_MACHINE: Final = {"127.0.0.1", "::1", "localhost"}
_WINDOWS_S: Final = {"second": 1, "minute": 60, "hour": 3600, "day": 86400}


class EnvironmentValueError(ValueError):
    """An environment variable has a value that cannot be used."""


class Rate(NamedTuple):
    """So many requests in a window of time."""

    amount: int
    window_s: int


def text(name: str, default: str) -> str:
    """Return the variable, or *default* where it is unset or empty."""
    return os.environ.get(name) or default


def integer(name: str, default: int, *, low: int, high: int) -> int:
    """Return a whole number between *low* and *high*."""
    value = text(name, str(default))
    try:
        number = int(value)
    except ValueError:
        number = low - 1
    if not low <= number <= high:
        raise EnvironmentValueError(
            f"{name} is {value!r}; give a whole number from {low} to {high}."
        )
    return number


def flag(name: str, *, default: bool) -> bool:
    """Return true for 1, true, yes, on; false for 0, false, no, off."""
    value = text(name, "yes" if default else "no").lower()
    if value in {"1", "true", "yes", "on"}:
        return True
    if value in {"0", "false", "no", "off"}:
        return False
    raise EnvironmentValueError(f"{name} is {value!r}; give yes or no.")


def rate(name: str, default: str) -> Rate:
    """Return how often something may be done, written as in ``600/minute``."""
    value = text(name, default)
    match = re.fullmatch(r"([1-9][0-9]{0,8})/(second|minute|hour|day)", value)
    if match is None:
        raise EnvironmentValueError(
            f"{name} is {value!r}; give a number from 1 on and second, minute, hour or day, as in "
            "600/minute."
        )
    return Rate(int(match[1]), _WINDOWS_S[match[2]])


def names(name: str, default: str) -> list[str]:
    """Return a comma-separated list."""
    return [item.strip() for item in text(name, default).split(",") if item.strip()]


def pairs(name: str) -> dict[str, str]:
    """Return a comma-separated list of ``NAME=VALUE``; an error does not show the values."""
    found: dict[str, str] = {}
    for number, item in enumerate(names(name, ""), start=1):
        key, _, value = (part.strip() for part in item.partition("="))
        if not re.fullmatch(r"[a-z0-9-]+", key) or not value or key in found:
            raise EnvironmentValueError(
                f"{name}: item {number} is not NAME=VALUE with a name of a-z, 0-9 and - that "
                "stands there once."
            )
        found[key] = value
    return found


def services(name: str) -> dict[str, str]:
    """Return a comma-separated list of ``NAME=URL``: https, or http on this machine."""
    found = pairs(name)
    for key, value in found.items():
        url = urlsplit(value)
        local = url.scheme == "http" and url.hostname in _THIS_MACHINE
        plain = "@" not in url.netloc and not url.query and not url.fragment
        if not (url.scheme == "https" or local) or not url.hostname or not _port_is_good(url):
            raise EnvironmentValueError(
                f"{name}: {key} leads to {_without_password(url)!r}; give https://host/path "
                "(http:// for this machine only)."
            )
        if not plain:
            raise EnvironmentValueError(
                f"{name}: the address of {key} holds a user name, a query or a fragment; give "
                "https://host/path alone."
            )
    return {key: value.rstrip("/") for key, value in found.items()}


def folder(name: str, default: Path) -> Path:
    """Return a folder as an absolute path; it is made when first needed."""
    path = Path(text(name, str(default))).expanduser().resolve()
    if path.exists() and not path.is_dir():
        raise EnvironmentValueError(f"{name} is {str(path)!r}, which is a file; give a folder.")
    return path


def database(name: str, *, default_file: Path) -> dict[str, Any]:
    """Return Django's database settings for ``sqlite:///FILE`` or ``postgresql://...``.

    SQLite runs in WAL mode and takes its write lock when a transaction begins
    (IMMEDIATE): a transaction that reads first and writes later would
    otherwise fail with "database is locked" under load.
    """
    value = text(name, f"sqlite:///{quote(str(default_file))}")
    url = urlsplit(value)
    if url.scheme == "sqlite" and url.path.strip("/") and not url.netloc:
        return {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": "/" + unquote(url.path).lstrip("/"),
            "OPTIONS": {
                "transaction_mode": "IMMEDIATE",
                "timeout": 20,
                "init_command": (
                    "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA foreign_keys=ON;"
                ),
            },
        }
    if url.scheme in {"postgresql", "postgres"} and url.path.strip("/") and _port_is_good(url):
        return {
            "ENGINE": "missioncontrol.kernel.postgresql",
            "NAME": unquote(url.path.lstrip("/")),
            "USER": unquote(url.username or ""),
            "PASSWORD": unquote(url.password or ""),
            # libpq's form for a unix socket: postgresql://user@/database?host=/folder
            "HOST": parse_qs(url.query).get("host", [unquote(url.hostname or "")])[0],
            "PORT": str(url.port or ""),
            "CONN_MAX_AGE": 60,
            "CONN_HEALTH_CHECKS": True,
        }
    raise EnvironmentValueError(
        f"{name} is {_without_password(url)!r}; give sqlite:////absolute/file.sqlite3 or "
        "postgresql://user:password@host:5432/database (see deploy/env.example)."
    )


def clickhouse(name: str) -> str:
    """Return the URL of a ClickHouse database over HTTP; empty where none is set."""
    value = text(name, "")
    url = urlsplit(value)
    is_database = re.fullmatch(r"/[A-Za-z0-9_]+/?", url.path) and not url.query + url.fragment
    if value and not (
        url.scheme in {"http", "https"} and url.hostname and is_database and _port_is_good(url)
    ):
        raise EnvironmentValueError(
            f"{name} is {_without_password(url)!r}; give http://user:password@host:8123/database "
            "or https://... (see deploy/env.example)."
        )
    return value


def _port_is_good(url: SplitResult) -> bool:
    try:
        return url.port is None or url.port > 0
    except ValueError:
        return False


def _without_password(url: SplitResult) -> str:
    """Return a URL as a log may show it."""
    user, at, host = url.netloc.rpartition("@")
    name, colon, _password = user.partition(":")
    return url._replace(netloc=f"{name}{colon}{'***' if colon else ''}{at}{host}").geturl()


def broker(name: str, *, default: str) -> str:
    """Return the URL of a Redis-protocol server."""
    value = text(name, default)
    url = urlsplit(value)
    if url.scheme not in {"redis", "rediss", "unix"} or not _port_is_good(url):
        raise EnvironmentValueError(
            f"{name} is {_without_password(url)!r}; give redis://host:6379/0, rediss://... or "
            "unix:///path/to/socket (see deploy/env.example)."
        )
    return value


def secret(name: str, *, file: Path) -> str:
    """Return the variable, or a random value made once and kept in *file* (mode 0600)."""
    value = os.environ.get(name)
    if value:
        if len(value) < _SECRET_LENGTH:
            raise EnvironmentValueError(
                f"{name} has {len(value)} characters; give at least {_SECRET_LENGTH} random ones."
            )
        return value
    if not file.exists():
        _make_secret(file)
    value = file.read_text().strip()
    if len(value) < _SECRET_LENGTH:
        raise EnvironmentValueError(
            f"{file} holds {len(value)} characters of the {_SECRET_LENGTH} or more that were "
            f"written; delete it to have a new one made (everybody is signed out), or set {name}."
        )
    return value


def _make_secret(file: Path) -> None:
    """Write the file whole or not at all; of several processes the first one's stays."""
    file.parent.mkdir(parents=True, exist_ok=True)
    descriptor, unfinished = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}-")
    try:
        with os.fdopen(descriptor, "w") as stream:
            stream.write(os.urandom(32).hex())
            stream.flush()
            os.fsync(stream.fileno())
        with contextlib.suppress(FileExistsError):
            os.link(unfinished, file)
    finally:
        os.unlink(unfinished)
