"""The client of a provider, against answers that no good provider gives."""

from __future__ import annotations

import json
from contextlib import closing
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from missioncontrol.reservations.providers import http_provider
from missioncontrol.reservations.providers.http_provider import HttpProvider
from missioncontrol.reservations.providers.interface import (
    GIVEN_UP,
    HELD,
    ContactStatus,
    ProviderUnavailableError,
    ReservationRefusedError,
    WantedContact,
)

AT = datetime(2026, 12, 1, tzinfo=UTC)
WANTED = WantedContact(
    token="t-1",
    satellite="DD-1",
    ground_station="Svalbard",
    antenna="Svalbard-1",
    begins=AT,
    ends=AT + timedelta(minutes=10),
    pre_pass_s=120,
    post_pass_s=60,
)
GIVEN = {
    "contact_id": "c-1",
    "client_token": "t-1",
    "satellite": "DD-1",
    "antenna": "Svalbard-1",
    "begins": "2026-12-01T00:00:00Z",
    "ends": "2026-12-01T00:10:00Z",
    "status": "SCHEDULED",
}


def asking(answer, call, url="https://polar.example/v1"):
    """Call the client while *answer* answers, and return what comes of it and the requests."""
    asked = []

    def handle(request):
        asked.append(request)
        return answer(request) if callable(answer) else answer

    transport = httpx.MockTransport(handle)
    with closing(HttpProvider(url, token="secret", transport=transport)) as provider:
        return call(provider), asked


def reserving(answer):
    return asking(answer, lambda provider: provider.reserve(WANTED))[0]


def answered(status=201, **fields):
    return httpx.Response(status, json={**GIVEN, **fields})


def test_every_status_but_the_undecided_one_is_held_or_given_up():
    assert set(ContactStatus) - HELD - GIVEN_UP == {ContactStatus.SCHEDULING}
    assert not HELD & GIVEN_UP


def test_shows_its_token_and_the_token_of_the_contact():
    found, [request] = asking(answered(), lambda provider: provider.reserve(WANTED))
    assert (found.contact_id, found.status, found.begins) == ("c-1", "SCHEDULED", AT)
    assert str(request.url) == "https://polar.example/v1/contacts"
    assert request.headers["Authorization"] == "Bearer secret"
    assert json.loads(request.content)["client_token"] == "t-1"


def test_takes_a_refusal_as_one_and_makes_its_reason_fit_to_be_shown():
    refusal = httpx.Response(422, json={"reason": "no\n\x1b[31m time " + "x" * 999})
    with pytest.raises(ReservationRefusedError) as error:
        reserving(refusal)
    said = str(error.value)
    assert said.startswith("no  [31m time")
    assert (len(said), said.isprintable()) == (300, True)


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (httpx.Response(500, text="oops"), "It answers 500: oops"),
        (httpx.Response(429), "It answers 429: nothing else"),
        (httpx.Response(401), r"does not take our token \(STATION_PROVIDER_TOKENS\)"),
        (httpx.Response(302, headers={"Location": "http://169.254.169.254/"}), "answers 302"),
        (httpx.Response(200, text="<html>"), "not as docs/station-providers.md says"),
        (httpx.Response(422, text="{}"), "reason: Field required"),
        (answered(status=201, begins="2026-12-01T00:00:00"), "begins: .*timezone"),
        (answered(contact_id=""), "contact_id: "),
        (answered(client_token="t-2"), "client_token is not the one that was sent"),
    ],
)
def test_takes_nothing_else_for_an_answer(answer, said):
    with pytest.raises(ProviderUnavailableError, match=said):
        reserving(answer)


@pytest.mark.parametrize(("status", "seconds"), [(429, 120), (503, 120), (500, None), (401, None)])
def test_hears_how_long_a_busy_provider_wants_to_be_left_alone(status, seconds):
    busy = httpx.Response(status, headers={"Retry-After": "120"})
    with pytest.raises(ProviderUnavailableError) as error:
        reserving(busy)
    assert error.value.retry_after_s == seconds


def test_takes_no_state_that_nobody_defined():
    answer = httpx.Response(200, json={**GIVEN, "status": "PERHAPS"})
    with pytest.raises(ProviderUnavailableError, match="status: Input should be"):
        reserving(answer)


def test_reads_no_endless_answer(monkeypatch):
    monkeypatch.setattr(http_provider, "ANSWER_OCTETS", 1000)
    with pytest.raises(ProviderUnavailableError, match="more than 1000 octets"):
        reserving(httpx.Response(201, content=b" " * 1001))


def test_follows_a_list_to_its_end_and_no_further():
    def page(request):
        cursor = request.url.params.get("cursor")
        more = {None: "a", "a": "b", "b": None}[cursor]
        return httpx.Response(200, json={"contacts": [GIVEN], "next_cursor": more})

    found, asked = asking(page, lambda provider: provider.contacts(AT, AT + timedelta(days=1)))
    assert (len(found), len(asked)) == (3, 3)
    assert all(request.url.params["begins"] == "2026-12-01T00:00:00+00:00" for request in asked)


def test_gives_up_a_list_without_an_end(monkeypatch):
    monkeypatch.setattr(http_provider, "MAX_PAGES", 3)
    endless = httpx.Response(200, json={"contacts": [], "next_cursor": "again"})
    with pytest.raises(ProviderUnavailableError, match="no end after 3 pages"):
        asking(lambda _: endless, lambda provider: provider.contacts(AT, AT))


@pytest.mark.parametrize("status", [200, 204, 404, 410])
def test_has_given_back_what_the_provider_does_not_have(status):
    _, [request] = asking(httpx.Response(status), lambda provider: provider.cancel("a/../b ü"))
    assert request.url.raw_path == b"/v1/contacts/a%2F%2E%2E%2Fb%20%C3%BC"


def test_does_not_take_a_cancellation_for_done_that_failed():
    with pytest.raises(ProviderUnavailableError):
        asking(httpx.Response(409), lambda provider: provider.cancel("c-1"))


def test_tells_who_is_not_there(monkeypatch):
    def away(request):
        raise httpx.ConnectError("Connection refused")

    with pytest.raises(ProviderUnavailableError, match="cannot be reached: Connection refused"):
        reserving(away)


def test_does_not_show_its_token():
    with closing(HttpProvider("https://polar.example", token="secret")) as provider:
        assert repr(provider) == "HttpProvider('https://polar.example')"
