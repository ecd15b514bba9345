"""How often one may ask, what one is told of it, and that nothing waits for the counter."""

from __future__ import annotations

import logging
import re
import time

import pytest
from django.http import HttpResponse
from django.test import RequestFactory
from redis.exceptions import ConnectionError as BrokerAwayError

from missioncontrol.accounts.models import ApiToken, Operator
from missioncontrol.accounts.principals import Principal
from missioncontrol.api import rate_limits
from missioncontrol.api.application import api
from missioncontrol.api.checks import checked
from missioncontrol.api.problems import NotFoundError
from missioncontrol.env import Rate
from tests.integration.missioncontrol.api.conftest import Api, assert_problem, token_of
from tests.signing_in import signed_in


@pytest.fixture(autouse=True)
def _broker_answers():
    rate_limits._Outage.since_s = None
    yield
    rate_limits._Outage.since_s = None


@pytest.fixture
def rates(settings):
    def rates(*, token="1000", organisation="1000", wrong="1000"):
        settings.API_RATE_PER_TOKEN = Rate(int(token), 60)
        settings.API_RATE_PER_ORGANISATION = Rate(int(organisation), 60)
        settings.API_RATE_OF_WRONG_TOKENS = Rate(int(wrong), 60)

    return rates


def remaining(answer) -> dict[str, int]:
    return {
        name: int(left) for name, left in re.findall(r'"([\w-]+)";r=(\d+)', answer["RateLimit"])
    }


class TestEveryAnswer:
    def test_says_what_may_be_asked_and_what_is_left(self, pipeline, rates):
        rates(token="600", organisation="3000")
        answer = pipeline.get("/clock")
        assert answer["RateLimit-Policy"] == '"token";q=600;w=60, "organisation";q=3000;w=60'
        assert re.fullmatch(
            r'"token";r=599;t=\d{2}, "organisation";r=2999;t=\d{2}', answer["RateLimit"]
        )

    @pytest.mark.parametrize(("path", "status"), [("/nowhere", 404), ("/jobs?x=1", 422)])
    def test_says_so_also_where_it_refuses(self, pipeline, path, status):
        answer = pipeline.get(path)
        assert answer.status_code == status
        assert "RateLimit" in answer

    def test_to_a_browser_counts_for_its_person(self, alice, rates):
        rates(token="2")
        browser = signed_in(alice)
        answers = [browser.get("/api/v1/clock") for _ in range(3)]
        assert [each.status_code for each in answers] == [200, 200, 429]
        assert answers[0]["RateLimit-Policy"] == '"session";q=2;w=60'


class TestAToken:
    def test_that_asks_too_often_is_told_when_to_ask_again(self, pipeline, rates):
        rates(token="2")
        assert [pipeline.get("/clock").status_code for _ in range(2)] == [200, 200]
        answer = pipeline.get("/clock")
        document = assert_problem(answer, 429, "quota-exceeded", "2 times within 60 s")
        assert document["violated-policies"] == ["token"]
        assert 1 <= int(answer["Retry-After"]) <= 61
        assert f"t={answer['Retry-After']}" in answer["RateLimit"]
        assert remaining(answer) == {"token": 0}

    def test_does_nothing_then(self, operator, rates, book):
        rates(token="1")
        contact = book()
        operator.get("/clock")
        assert operator.post(f"/contacts/{contact.pk}/cancel").status_code == 429
        contact.refresh_from_db()
        assert contact.state == "SCHEDULED"

    def test_takes_nothing_from_another(self, alice, operating, laboratory, pipeline, rates):
        rates(token="1")
        first, second = token_of(alice, operating), token_of(alice, operating)
        assert first.get("/clock").status_code == 200
        assert first.get("/clock").status_code == 429
        assert second.get("/clock").status_code == 200

    def test_is_served_again_in_the_next_window(self, pipeline, settings):
        settings.API_RATE_PER_TOKEN = Rate(1, 1)
        assert pipeline.get("/clock").status_code == 200
        answer = pipeline.get("/clock")
        assert answer.status_code == 429
        time.sleep(int(answer["Retry-After"]))
        assert pipeline.get("/clock").status_code == 200


class TestAnOrganisation:
    def test_has_a_limit_for_all_its_tokens(self, alice, operating, rates):
        rates(organisation="3")
        tokens = [token_of(alice, operating) for _ in range(4)]
        answers = [each.get("/clock") for each in tokens]
        assert [each.status_code for each in answers] == [200, 200, 200, 429]
        document = assert_problem(answers[3], 429, "quota-exceeded", "organisation")
        assert document["violated-policies"] == ["organisation"]

    def test_loses_nothing_by_what_a_token_asks_in_vain(self, alice, operating, rates):
        rates(token="1", organisation="100")
        greedy, modest = token_of(alice, operating), token_of(alice, operating)
        for _ in range(20):
            greedy.get("/clock")
        assert remaining(modest.get("/clock"))["organisation"] == 98

    def test_takes_nothing_from_another(self, pipeline, rival, rates):
        rates(organisation="1")
        assert [each.get("/clock").status_code for each in (pipeline, rival)] == [200, 200]


class TestWrongTokens:
    def test_of_one_address_are_told_to_wait(self, rates):
        rates(wrong="2")
        guesser = Api("mc_0123456789_guess")
        answers = [guesser.get("/clock") for _ in range(3)]
        assert [each.status_code for each in answers] == [401, 401, 429]
        assert_problem(answers[2], 429, "quota-exceeded", "wrong tokens")
        assert int(answers[2]["Retry-After"]) >= 1

    def test_lock_nobody_out_who_has_a_right_one(self, pipeline, rates):
        rates(wrong="1")
        for _ in range(3):
            Api("mc_0123456789_guess").get("/clock")
        assert pipeline.get("/clock").status_code == 200

    def test_are_counted_by_address(self, rates):
        rates(wrong="1")
        guesser = Api("mc_0123456789_guess")
        statuses = [
            guesser._client.get(
                "/api/v1/clock", REMOTE_ADDR=address, headers=guesser._headers
            ).status_code
            for address in ("192.0.2.1", "192.0.2.1", "192.0.2.2")
        ]
        assert statuses == [401, 429, 401]

    def test_from_nowhere_are_counted_too(self, rates):
        """Through a unix socket there is no address."""
        rates(wrong="1")
        guesser = Api("mc_0123456789_guess")
        for status in (401, 429):
            answer = guesser._client.get("/api/v1/clock", REMOTE_ADDR="", headers=guesser._headers)
            assert answer.status_code == status

    def test_are_not_whoever_shows_none(self, stranger, rates):
        rates(wrong="1")
        assert {stranger.get("/clock").status_code for _ in range(3)} == {401}


class TestALiveStream:
    """An operation that is a coroutine; there it is only the checks that are ours."""

    @pytest.fixture
    def request_of_a_token(self):
        request = RequestFactory().get("/api/v1/stream")
        token = ApiToken(pk=1, organisation_id=1, operator_id=1)
        request.principal = Principal(operator=Operator(pk=1), memberships=(), token=token)
        return request

    async def test_is_counted_as_any_other_request(self, request_of_a_token, rates):
        rates(token="1")

        async def stream(_request):
            return HttpResponse("live")

        guarded = checked(stream, api)
        answers = [await guarded(request_of_a_token) for _ in range(2)]
        assert [each.status_code for each in answers] == [200, 429]
        assert answers[0]["Cache-Control"] == "private, no-store"
        assert remaining(answers[0])["token"] == 0

    async def test_that_breaks_is_answered_in_our_form(self, request_of_a_token, rates):
        async def stream(_request):
            raise NotFoundError("There is no such stream.")

        answer = await checked(stream, api)(request_of_a_token)
        assert answer.status_code == 404
        assert answer["Content-Type"] == "application/problem+json"


class TestTheBroker:
    def test_that_is_away_stops_nobody_and_is_told_of_once(
        self, pipeline, rates, monkeypatch, caplog
    ):
        rates(token="1")
        asked = []

        def away(*_):
            asked.append(1)
            raise BrokerAwayError("gone")

        monkeypatch.setattr(rate_limits, "_spend", away)
        with caplog.at_level(logging.WARNING, logger="missioncontrol.api.rate_limits"):
            answers = [pipeline.get("/clock") for _ in range(3)]
        assert [each.status_code for each in answers] == [200, 200, 200]
        assert "RateLimit" not in answers[0]
        assert caplog.text.count("requests are not counted") == 1
        assert len(asked) == 1  # it may take seconds to not answer

    def test_is_asked_again_after_a_while(self, pipeline, rates, monkeypatch):
        rates(token="1")
        rate_limits._Outage.since_s = 0.0
        monkeypatch.setattr(rate_limits, "_ASK_AGAIN_AFTER_S", 0.0)
        assert [pipeline.get("/clock").status_code for _ in range(2)] == [200, 429]

    def test_is_reached_over_its_unix_socket(self, broker):
        assert broker.startswith("unix://")
