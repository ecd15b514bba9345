"""Refusals that any operation may answer with."""

from __future__ import annotations

import logging

import pytest
from django.db import OperationalError

from missioncontrol.api import mission
from missioncontrol.api.checks import MAX_BODY_OCTETS
from tests.integration.missioncontrol.api.conftest import assert_problem, assert_wrong_field


def test_an_address_without_an_operation(pipeline, stranger):
    assert_problem(pipeline.get("/nothing/here"), 404, "not-found", "/api/v1/nothing/here")
    assert_problem(stranger.get("/nothing/here"), 401, "not-signed-in")
    assert_problem(pipeline.get("/"), 404, "not-found")


def test_a_method_that_an_address_does_not_take(pipeline):
    response = pipeline.post("/clock", {})
    assert_problem(response, 405, "wrong-method", "it takes GET, PUT.")
    assert response["Allow"] == "GET, PUT"


@pytest.mark.parametrize("body", ["{", "\xff\xfe", "[1,]"])
def test_a_body_that_is_no_json(operator, body):
    octets = body.encode("latin-1")
    assert_problem(operator.post("/telecommands", octets), 400, "bad-request", "no JSON in UTF-8")


def test_a_body_that_is_no_object(operator):
    response = operator.post("/telecommands", [1])
    assert assert_problem(response, 422, "invalid-input")["errors"]


def test_a_missing_body(operator):
    document = assert_problem(operator.post("/telecommands"), 422, "invalid-input")
    assert document["errors"][0]["value"] == "missing"


def test_a_body_that_is_too_long_is_not_read(operator):
    response = operator.post("/jobs", b" " * (MAX_BODY_OCTETS + 1))
    assert_problem(response, 413, "too-large", str(MAX_BODY_OCTETS))


def test_a_body_without_a_length_is_not_read(pipeline):
    response = pipeline.post("/jobs", b"{}", **{"Transfer-Encoding": "chunked"})
    assert_problem(response, 411, "length-required", "Content-Length")


def test_every_wrong_field_is_named_with_its_value_and_what_is_allowed(operator):
    response = operator.post("/telecommands", {"spacecraft": 5, "nam": "PING"})
    errors = assert_problem(response, 422, "invalid-input")["errors"]
    assert {(error["field"], error["value"]) for error in errors} == {
        ("body.spacecraft", "5"),
        ("body.name", "missing"),
        ("body.nam", "PING"),
    }
    assert all(error["allowed"] for error in errors)


def test_a_long_wrong_value_is_cut(operator):
    response = operator.post("/telecommands", {"spacecraft": "x" * 5000, "name": "PING"})
    [error] = assert_problem(response, 422, "invalid-input")["errors"]
    assert error["value"].endswith("(5000 characters)")
    assert len(error["value"]) < 200


@pytest.mark.parametrize(
    ("time", "allowed"),
    [
        ("2026-12-01T00:00:00", "for UTC give 2026-12-01T00:00:00Z"),
        ("2026-12-01T00:00:00 02:00", "%2B for the + of an offset"),
        ("yesterday", "ISO 8601"),
        ("0001-01-01T00:00:00+14:00", "ISO 8601"),
        ("1764547200", "ISO 8601"),
    ],
)
def test_a_time_says_its_zone(operator, time, allowed):
    assert_wrong_field(operator.get("/contacts", {"start": time}), "query.start", allowed, time)


def test_an_unknown_query_parameter_is_refused_not_ignored(operator):
    assert_wrong_field(operator.get("/contacts", {"stat": "flown"}), "query.stat", "", "flown")


@pytest.mark.parametrize("limit", ["0", "501", "many"])
def test_a_page_has_a_size_within_limits(operator, limit):
    assert_wrong_field(operator.get("/contacts", {"limit": limit}), "query.limit", "", limit)


@pytest.mark.parametrize("path", ["/contacts", "/telecommands", "/jobs", "/audit/entries"])
@pytest.mark.parametrize(
    "cursor", ["x", "-1", "9" * 30, "9999999999999999999", "2026~1", "~", "¹"]
)
def test_a_cursor_was_given_out(operator, path, cursor):
    response = operator.get(path, {"cursor": cursor})
    assert_wrong_field(response, "query.cursor", "'next' of the page before", cursor)


@pytest.mark.parametrize("path", ["/jobs/{}", "/contacts/{}", "/audit/entries/{}/receipt"])
@pytest.mark.parametrize("number", ["x", "-1", str(2**63)])
def test_a_number_is_one_that_the_database_has(operator, path, number):
    assert_problem(operator.get(path.format(number)), 422, "invalid-input")


def test_text_has_no_control_characters(operator):
    response = operator.get("/contacts", {"spacecraft": "DD\x00"})
    assert_wrong_field(response, "query.spacecraft", "pattern")


def test_a_fault_of_ours_is_logged_and_told_without_its_inside(pipeline, monkeypatch, caplog):
    def break_down(*_, **__):
        raise ZeroDivisionError("the inside")

    monkeypatch.setattr(mission.fleet, "ephemeris_in_force", break_down)
    with caplog.at_level(logging.ERROR, logger="missioncontrol.api.problems"):
        response = pipeline.get("/spacecraft")
    assert "the inside" in caplog.text
    assert "the inside" not in assert_problem(response, 500, "failed")["detail"]


def test_a_database_that_is_away_is_told_as_such(pipeline, monkeypatch, caplog):
    def away(*_, **__):
        raise OperationalError("database is locked")

    monkeypatch.setattr(mission.fleet, "ephemeris_in_force", away)
    response = pipeline.get("/spacecraft")
    assert_problem(response, 503, "unavailable", "away or busy; nothing was done")
    assert response["Retry-After"] == "5"
    assert "database is locked" in caplog.text


def test_a_body_that_is_not_called_json(operator):
    response = operator._client.post(
        "/api/v1/telecommands",
        data="{}",
        content_type="text/plain",
        headers=operator._headers,
    )
    assert_problem(response, 415, "unsupported-media-type", "Content-Type: application/json")


@pytest.mark.parametrize("path", ["/api/", "/api/v2/clock", "/api/v1"])
def test_an_address_beside_the_api(operator, stranger, path):
    for asker, status in ((operator, 404), (stranger, 401)):
        for method in (asker._client.get, asker._client.post):
            response = method(path, headers=asker._headers)
            assert response.status_code == status
            assert response["Content-Type"] == "application/problem+json"


def test_a_fault_before_any_operation(operator, monkeypatch):
    """As of the gate, which finds out whose token it is."""
    client = operator._client
    client.raise_request_exception = False

    def break_down(error):
        def broken(*_, **__):
            raise error

        monkeypatch.setattr("missioncontrol.accounts.gate.token_in_force", broken)
        return client.get("/api/v1/clock", headers=operator._headers)

    assert_problem(break_down(ZeroDivisionError()), 500, "failed")
    assert_problem(break_down(OperationalError("gone")), 503, "unavailable")


def test_a_host_that_is_not_ours(operator):
    answer = operator._client.get(
        "/api/v1/clock", headers={**operator._headers, "Host": "elsewhere.example"}
    )
    assert_problem(answer, 400, "bad-request", "elsewhere.example")
