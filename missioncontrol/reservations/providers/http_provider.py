"""A provider that is reached by HTTP and JSON, as docs/station-providers.md says.

Its address is whoever's who runs mission control, so it may lie in the own
network; but nothing leads a request astray from it: no redirect is followed, no
proxy of the environment is asked, and an answer has its limits of size and time.
"""

from __future__ import annotations

import time
from datetime import datetime
from typing import Final, TypeVar

import httpx
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from missioncontrol.reservations.providers.interface import (
    ContactStatus,
    ProviderContact,
    ProviderUnavailableError,
    ReservationRefusedError,
    WantedContact,
)
from missioncontrol.reservations.providers.retry_after import retry_after_s

TIMEOUT_S: Final = 20.0  # for one question in all
ANSWER_OCTETS: Final = 4 * 1024 * 1024
MAX_PAGES: Final = 200
_REASON_LENGTH: Final = 300
_TAKEN: Final = (httpx.codes.OK, httpx.codes.CREATED, httpx.codes.ACCEPTED)
_BUSY: Final = (httpx.codes.TOO_MANY_REQUESTS, httpx.codes.SERVICE_UNAVAILABLE)


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class _Contact(_Strict):
    contact_id: str = Field(min_length=1, max_length=120)
    client_token: str = Field(default="", max_length=80)
    satellite: str = Field(max_length=40)
    antenna: str = Field(max_length=40)
    begins: AwareDatetime
    ends: AwareDatetime
    status: ContactStatus
    reason: str = ""

    def in_words(self) -> ProviderContact:
        return ProviderContact(
            contact_id=self.contact_id,
            token=self.client_token,
            satellite=self.satellite,
            antenna=self.antenna,
            begins=self.begins,
            ends=self.ends,
            status=self.status,
            reason=_shown(self.reason),
        )


class _Page(_Strict):
    contacts: list[_Contact]
    next_cursor: str | None = None


class _Refusal(_Strict):
    reason: str = Field(min_length=1)


_Answer = TypeVar("_Answer", bound=_Strict)


class HttpProvider:
    """Asks one provider; may be used by several threads."""

    def __init__(
        self,
        url: str,
        *,
        token: str,
        timeout_s: float = TIMEOUT_S,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        """Take the address.

        Args:
            url: Of the provider's interface, without a slash at its end.
            token: What tells the provider that it is we who ask.
            timeout_s: For one question in all.
            transport: What carries the questions; the network where it is None.
        """
        self._url = url
        self._timeout_s = timeout_s
        self._client = httpx.Client(
            headers={
                "Authorization": f"Bearer {token}",
                "Accept": "application/json",
                "Accept-Encoding": "identity",
            },
            timeout=timeout_s,
            follow_redirects=False,
            trust_env=False,
            transport=transport,
        )

    def reserve(self, wanted: WantedContact) -> ProviderContact:
        """Ask for a contact. See ``interface.Provider``."""
        status, body = self._ask(
            "POST",
            "/contacts",
            json={
                "client_token": wanted.token,
                "satellite": wanted.satellite,
                "ground_station": wanted.ground_station,
                "antenna": wanted.antenna,
                "begins": wanted.begins.isoformat(),
                "ends": wanted.ends.isoformat(),
                "pre_pass_s": wanted.pre_pass_s,
                "post_pass_s": wanted.post_pass_s,
            },
        )
        if status == httpx.codes.UNPROCESSABLE_ENTITY:
            raise ReservationRefusedError(_shown(_read(_Refusal, body).reason))
        _require(status, body, _TAKEN)
        contact = _read(_Contact, body).in_words()
        if contact.token != wanted.token:
            raise ProviderUnavailableError(
                f"It answers with contact {contact.contact_id}, whose client_token is not the one "
                "that was sent."
            )
        return contact

    def contacts(self, begins: datetime, ends: datetime) -> list[ProviderContact]:
        """List what is reserved for us. See ``interface.Provider``."""
        found: list[ProviderContact] = []
        asked = {"begins": begins.isoformat(), "ends": ends.isoformat()}
        for _ in range(MAX_PAGES):
            status, body = self._ask("GET", "/contacts", params=asked)
            _require(status, body, (httpx.codes.OK,))
            page = _read(_Page, body)
            found += [one.in_words() for one in page.contacts]
            if not page.next_cursor:
                return found
            asked["cursor"] = page.next_cursor
        raise ProviderUnavailableError(f"Its list has no end after {MAX_PAGES} pages.")

    def cancel(self, contact_id: str) -> None:
        """Give a contact back. See ``interface.Provider``."""
        status, body = self._ask("DELETE", f"/contacts/{_quoted(contact_id)}")
        if status not in (httpx.codes.NOT_FOUND, httpx.codes.GONE):
            _require(status, body, (*_TAKEN, httpx.codes.NO_CONTENT))

    def close(self) -> None:
        """Close the connections that are kept."""
        self._client.close()

    def _ask(
        self, method: str, path: str, *, json: object = None, params: dict[str, str] | None = None
    ) -> tuple[int, bytes]:
        ends_s = time.monotonic() + self._timeout_s
        try:
            with self._client.stream(
                method, f"{self._url}{path}", json=json, params=params
            ) as response:
                status, body = response.status_code, _body(response, ends_s)
                if status in _BUSY:
                    raise ProviderUnavailableError(
                        _odd(status, body), retry_after_s=retry_after_s(response.headers)
                    )
                return status, body
        except httpx.TimeoutException as error:
            raise ProviderUnavailableError(_late(self._timeout_s)) from error
        except httpx.HTTPError as error:
            said = str(error) or type(error).__name__
            raise ProviderUnavailableError(f"It cannot be reached: {said}.") from error

    def __repr__(self) -> str:
        return f"HttpProvider({self._url!r})"


def _late(timeout_s: float) -> str:
    return f"There was no answer within {timeout_s:g} s."


def _body(response: httpx.Response, ends_s: float) -> bytes:
    octets = bytearray()
    for chunk in response.iter_bytes():
        octets += chunk
        if len(octets) > ANSWER_OCTETS:
            raise ProviderUnavailableError(
                f"Its answer has more than {ANSWER_OCTETS} octets, which is the limit."
            )
        if time.monotonic() > ends_s:
            raise ProviderUnavailableError("Its answer did not end in time.")
    return bytes(octets)


def _require(status: int, body: bytes, allowed: tuple[int, ...]) -> None:
    if status in allowed:
        return
    if status in (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN):
        raise ProviderUnavailableError(
            f"It answers {status}: it does not take our token (STATION_PROVIDER_TOKENS)."
        )
    raise ProviderUnavailableError(_odd(status, body))


def _odd(status: int, body: bytes) -> str:
    said = _shown(body[:_REASON_LENGTH].decode(errors="replace"))
    return f"It answers {status}: {said or 'nothing else'}"


def _read(form: type[_Answer], body: bytes) -> _Answer:
    try:
        return form.model_validate_json(body)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(map(str, first["loc"])) or "the whole"
        raise ProviderUnavailableError(
            f"Its answer is not as docs/station-providers.md says: {where}: {first['msg']}."
        ) from error


def _shown(text: str) -> str:
    """Return what a provider says as a row and a page can show it."""
    plain = "".join(letter if letter.isprintable() else " " for letter in text).strip()
    return plain[:_REASON_LENGTH]


def _quoted(contact_id: str) -> str:
    """Return an identifier as one segment of a path, whatever the provider made of it.

    Dots are quoted too, which ``urllib.parse.quote`` leaves: ".." would be another path.
    """
    return "".join(
        chr(octet) if chr(octet).isascii() and chr(octet).isalnum() else f"%{octet:02X}"
        for octet in contact_id.encode()
    )
