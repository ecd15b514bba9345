"""A log read over HTTP: bounded answers, bounded time, no redirects.

Source: C2SP tlog-tiles, "Parameters" and "Partial tiles".
"""

from __future__ import annotations

import time
from http import HTTPStatus
from http.client import HTTPException
from ipaddress import ip_address
from typing import Final
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import (
    HTTPDefaultErrorHandler,
    HTTPErrorProcessor,
    HTTPHandler,
    HTTPSHandler,
    OpenerDirector,
    ProxyHandler,
    Request,
)

from missioncontrol.audit.log_folder import MissingFileError, announcement_path
from missioncontrol.audit.merkle.errors import FormatError
from missioncontrol.audit.merkle.hashing import HASH_OCTETS
from missioncontrol.audit.merkle.keys import VerifierKey
from missioncontrol.audit.merkle.note import MAX_NOTE_OCTETS
from missioncontrol.audit.merkle.receipt import MAX_RECEIPT_OCTETS
from missioncontrol.audit.merkle.tiles import (
    MAX_ENTRY_OCTETS,
    TILE_WIDTH,
    EntryBundle,
    Tile,
    encode_bundle,
    parse_bundle,
)
from missioncontrol.client.errors import (
    NotAdmittedError,
    UndecidedError,
    UnreachableError,
    UsageError,
)
from missioncontrol.client.tokens import TOKEN_VARIABLE

_TIMEOUT_S: Final = 10.0  # without a single octet
_DEADLINE_S: Final = 120.0  # for one whole answer
_TRIES: Final = 3
_PAUSE_S: Final = 0.5  # before the second try; doubled before the third
_CHUNK_OCTETS: Final = 1 << 16
_LONGEST_WAIT_S: Final = 60.0  # that a server may ask for
_ABSENT: Final = frozenset({404, 410})

_MAX_TILE_OCTETS: Final = TILE_WIDTH * HASH_OCTETS
_MAX_BUNDLE_OCTETS: Final = TILE_WIDTH * (2 + MAX_ENTRY_OCTETS)


class BusyError(UnreachableError):
    """The server asks us to come back later."""

    def __init__(self, message: str, *, retry_after_s: float) -> None:
        self.retry_after_s = retry_after_s
        super().__init__(message)


class HttpLog:
    """One log behind an address. Whatever it answers is unverified."""

    def __init__(
        self, address: str, *, token: str | None = None, pause_s: float = _PAUSE_S
    ) -> None:
        """Take the log's prefix, e.g. ``https://ops.example/log``.

        Args:
            address: Its address.
            token: Shown to this server alone, which redirects nobody.
            pause_s: Seconds before a second try.

        Raises:
            UsageError: Not an http or https address; or the token would travel
                in the clear.
        """
        parts = urlsplit(address)
        if parts.scheme not in {"http", "https"} or not parts.netloc:
            raise UsageError(f"{address} is not an http or https address of a log.")
        if token is not None and parts.scheme == "http" and not _is_loopback(parts.hostname):
            raise UsageError(
                f"The token would travel to {parts.hostname} in the clear. Give an https address."
            )
        self._prefix = address.rstrip("/")
        self._headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        self._pause_s = pause_s
        self._opener = _opener()

    def read_checkpoint(self) -> bytes | None:
        """Return the signed note, or None where there is none."""
        return self._get("checkpoint", limit=MAX_NOTE_OCTETS)

    def read_announcement(self, key: VerifierKey) -> bytes | None:
        """Return what *key* said of its successor, or None where there is nothing."""
        return self._get(announcement_path(key.key_id.hex()), limit=MAX_RECEIPT_OCTETS)

    def read_tile(self, tile: Tile) -> bytes:
        """Return a tile's octets; a partial one also when only the full one is served.

        Raises:
            MissingFileError: The server has neither.
            UnreachableError: It does not answer.
        """
        octets = self._get(tile.path, limit=_MAX_TILE_OCTETS)
        if octets is None:
            full = self._read_full(tile, Tile(tile.level, tile.index), limit=_MAX_TILE_OCTETS)
            octets = full[: tile.width * HASH_OCTETS]
        return octets

    def read_bundle(self, bundle: EntryBundle) -> bytes:
        """Return a bundle's octets; a partial one also when only the full one is served.

        Raises:
            MissingFileError: The server has neither.
            FormatError: The full one cannot be cut to the width asked for.
            UnreachableError: The server does not answer.
        """
        octets = self._get(bundle.path, limit=_MAX_BUNDLE_OCTETS)
        if octets is None:
            whole = EntryBundle(bundle.index)
            full = self._read_full(bundle, whole, limit=_MAX_BUNDLE_OCTETS)
            octets = encode_bundle(parse_bundle(full, bundle=whole)[: bundle.width])
        return octets

    def _read_full(
        self, place: Tile | EntryBundle, full: Tile | EntryBundle, *, limit: int
    ) -> bytes:
        octets = None if place == full else self._get(full.path, limit=limit)
        if octets is None:
            raise MissingFileError(f"{place.path} is missing from {self._prefix}.")
        return octets

    def _get(self, path: str, *, limit: int) -> bytes | None:
        asked = Request(f"{self._prefix}/{path}", headers=self._headers)  # noqa: S310  # checked
        pause_s = self._pause_s
        for _ in range(_TRIES - 1):
            try:
                return _fetch(self._opener, asked, limit=limit)
            except BusyError as busy:
                time.sleep(busy.retry_after_s)
            except UnreachableError:
                time.sleep(pause_s)
                pause_s *= 2
        return _fetch(self._opener, asked, limit=limit)


def _is_loopback(host: str | None) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host or "").is_loopback
    except ValueError:
        return False


def _opener() -> OpenerDirector:
    """Return an opener that knows HTTP alone: no files, no redirects to elsewhere."""
    opener = OpenerDirector()
    for handler in (
        ProxyHandler(),
        HTTPHandler(),
        HTTPSHandler(),
        HTTPDefaultErrorHandler(),
        HTTPErrorProcessor(),
    ):
        opener.add_handler(handler)
    return opener


def _fetch(opener: OpenerDirector, asked: Request, *, limit: int) -> bytes | None:
    """Return the answer's octets, or None where the server says there is nothing."""
    try:
        return _read(opener, asked, limit=limit)
    except HTTPError as error:
        with error:
            if error.code in _ABSENT:
                return None
            raise _refusal(asked.full_url, error) from error
    except (OSError, HTTPException) as error:  # URLError and time-outs are OSErrors
        reason = getattr(error, "reason", None) or error
        raise UnreachableError(f"{asked.full_url} cannot be read: {reason}.") from error


def _refusal(address: str, error: HTTPError) -> UndecidedError:
    """Return what an answer other than the one asked for means."""
    said = f"{address} answers {error.code} {error.reason}."
    if error.code == HTTPStatus.UNAUTHORIZED:
        return NotAdmittedError(
            f"{said} Give a token that is in force, with --token-file or in {TOKEN_VARIABLE}."
        )
    if error.code == HTTPStatus.FORBIDDEN:
        return NotAdmittedError(f"{said} The token given may not read the log.")
    after = error.headers.get("Retry-After", "")
    if error.code == HTTPStatus.TOO_MANY_REQUESTS and after.isascii() and after.isdigit():
        return BusyError(said, retry_after_s=min(float(after), _LONGEST_WAIT_S))
    return UnreachableError(said)


def _read(opener: OpenerDirector, asked: Request, *, limit: int) -> bytes:
    address = asked.full_url
    until_s = time.monotonic() + _DEADLINE_S
    with opener.open(asked, timeout=_TIMEOUT_S) as answer:
        octets = bytearray()
        while chunk := answer.read1(_CHUNK_OCTETS):
            octets += chunk
            if len(octets) > limit:
                raise FormatError(f"{address} is longer than {limit} octets, the limit here.")
            if time.monotonic() > until_s:
                raise UnreachableError(f"{address} took longer than {_DEADLINE_S:.0f} s.")
        promised = answer.headers.get("Content-Length")
        if promised is not None and promised != str(len(octets)):
            raise UnreachableError(f"{address} broke off after {len(octets)} octets.")
    return bytes(octets)
