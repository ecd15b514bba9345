from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.test import Client

from missioncontrol.accounts.models import ApiToken, Membership
from missioncontrol.accounts.policy import Role
from missioncontrol.accounts.services import create_token, revoke_token
from missioncontrol.api.application import api
from missioncontrol.kernel import clock
from tests import factories
from tests.integration.missioncontrol.api.conftest import AT, Api, assert_problem, token_of
from tests.signing_in import signed_in
from uplink.commanding.models import Telecommand
from uplink.jobs.models import Job

OPERATIONS = [
    (method, re.sub(r"\{\w+\}", "1", path))
    for path, operations in api.get_openapi_schema(path_prefix="").get("paths").items()
    for method in operations
]


def ask(client, method, path):
    if method == "get":
        return client.get(f"/api/v1{path}")
    return client.post(f"/api/v1{path}", data="{}", content_type="application/json")


@pytest.mark.parametrize(("method", "path"), OPERATIONS)
class TestEveryOperation:
    def test_refuses_a_request_without_a_token(self, method, path):
        response = ask(Client(), method, path)
        assert_problem(response, 401, "not-signed-in", "manage.py create_token")
        assert response["WWW-Authenticate"].startswith("Bearer")

    def test_refuses_a_token_that_nobody_made(self, method, path):
        client = Client(headers={"Authorization": "Bearer mc_0123456789_guess"})
        assert_problem(ask(client, method, path), 401, "not-signed-in", "unknown, expired")


def test_the_walk_reaches_every_operation():
    assert len(OPERATIONS) == 29
    assert {method for method, _ in OPERATIONS} == {"get", "post"}


class TestToken:
    def test_opens_the_api(self, pipeline):
        assert pipeline.get("/clock").status_code == 200

    @pytest.mark.parametrize(
        "authorization",
        ["", "Bearer", "Bearer ", "Basic YTpi", "mc_1_2", "Bearer mc__", "Bearer ä"],
    )
    def test_must_be_a_bearer_token(self, authorization):
        response = Client().get("/api/v1/clock", headers={"Authorization": authorization})
        assert_problem(response, 401, "not-signed-in")

    def test_ends_with_its_lifetime_on_the_machines_clock(self, alice, operating):
        for age, status in ((timedelta(hours=23), 200), (timedelta(hours=25), 401)):
            _, secret = create_token(
                operator=alice,
                organisation=operating,
                name="x",
                at=AT,
                wall_at=clock.wall_now() - age,
                lifetime=timedelta(days=1),
            )
            assert Api(secret).get("/clock").status_code == status
        assert_problem(Api(secret).get("/clock"), 401, "not-signed-in", "expired")

    def test_ends_when_it_is_revoked(self, operator):
        revoke_token(
            token_id=ApiToken.objects.get().pk,
            actor="process:test",
            at=AT,
            wall_at=clock.wall_now(),
        )
        assert_problem(operator.get("/clock"), 401, "not-signed-in", "revoked")

    def test_ends_with_its_account(self, operator, alice):
        alice.is_active = False
        alice.save()
        assert_problem(operator.get("/clock"), 401, "not-signed-in")

    def test_acts_for_its_own_organisation_only(self, alice, laboratory):
        Membership.objects.create(
            operator=alice, organisation=laboratory, role=Role.PAYLOAD_MEMBER
        )
        api_of_laboratory = token_of(alice, laboratory)
        response = api_of_laboratory.get("/spacecraft/DD-1/telemetry/latest")
        assert_problem(response, 403, "not-permitted", "takes a token for Mission Operator")
        assert api_of_laboratory.get("/jobs").status_code == 200


class TestSession:
    @pytest.fixture
    def browser(self, alice):
        return signed_in(alice, enforce_csrf_checks=True)

    def test_may_read(self, browser):
        assert browser.get("/api/v1/contacts").status_code == 200
        assert browser.get("/api/v1/spacecraft/DD-1/telemetry/latest").status_code == 200

    def test_stands_for_what_the_person_may_do(self, laboratory):
        client = signed_in(factories.operator("member", Role.PAYLOAD_MEMBER, member_of=laboratory))
        assert client.get("/api/v1/jobs").status_code == 200
        response = client.get("/api/v1/spacecraft/DD-1/telemetry/latest")
        assert_problem(response, 403, "not-permitted")

    @pytest.mark.parametrize("path", [path for method, path in OPERATIONS if method == "post"])
    def test_changes_nothing(self, browser, path):
        assert_problem(ask(browser, "post", path), 401, "not-signed-in")
        assert not Job.objects.exists()
        assert not Telecommand.objects.exists()
