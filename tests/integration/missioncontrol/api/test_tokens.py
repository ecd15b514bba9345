from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from missioncontrol.accounts.models import ApiToken
from missioncontrol.accounts.policy import Role
from missioncontrol.audit.models import AuditEntry
from tests import factories
from tests.integration.missioncontrol.api.conftest import (
    Api,
    assert_problem,
    assert_wrong_field,
    token_of,
)

TOKENS = "/organisations/ai-laboratory-1/tokens"
NIGHTLY = {"account": "nightly", "name": "ci", "scopes": ["job.view", "job.submit"], "days": 30}


@pytest.fixture
def chief(laboratory):
    """The laboratory's administrator."""
    person = factories.operator("chief", Role.ADMINISTRATOR, member_of=laboratory)
    return token_of(person, laboratory)


@pytest.fixture
def nightly(laboratory):
    return factories.operator("nightly", Role.PAYLOAD_MEMBER, member_of=laboratory)


class TestMade:
    def test_is_shown_with_its_secret_this_once(self, chief, nightly):
        answer = chief.post(TOKENS, NIGHTLY)
        made = answer.json()
        assert answer.status_code == 201
        assert answer["Location"] == f"/api/v1{TOKENS}/{made['prefix']}"
        assert made["scopes"] == ["job.submit", "job.view"]
        life = datetime.fromisoformat(made["expires_at"]) - datetime.fromisoformat(
            made["created_at"]
        )
        assert life == timedelta(days=30)
        assert Api(made["secret"]).get("/jobs").status_code == 200
        shown = chief.get(f"{TOKENS}/{made['prefix']}").json()
        assert "secret" not in shown
        assert (shown["account"], shown["name"]) == ("nightly", "ci")

    def test_has_all_rights_that_take_no_proof_unless_told_otherwise(self, chief, nightly):
        made = chief.post(TOKENS, {"account": "nightly", "name": "ci"}).json()
        assert "job.submit" in made["scopes"]
        assert "webhook.manage" not in made["scopes"]

    @pytest.mark.parametrize(
        ("fields", "field"),
        [
            ({"account": "alice"}, "body.account"),
            ({"scopes": []}, "body.scopes"),
            ({"scopes": ["everything"]}, "body.scopes.0"),
            ({"days": 366}, "body.days"),
            ({"days": 0}, "body.days"),
            ({"name": ""}, "body.name"),
        ],
    )
    def test_with_wrong_fields_is_refused(self, chief, nightly, alice, fields, field):
        assert_wrong_field(chief.post(TOKENS, NIGHTLY | fields), field, "")

    def test_goes_never_beyond_the_account(self, chief, nightly):
        answer = chief.post(TOKENS, NIGHTLY | {"scopes": ["telecommand.submit"]})
        assert_problem(answer, 409, "refused", "itself may not do telecommand.submit")

    def test_takes_an_administrator_with_a_fresh_proof(
        self, chief, nightly, laboratory, administrator, aging
    ):
        own = token_of(nightly, laboratory)
        assert_problem(own.post(TOKENS, NIGHTLY), 403, "not-permitted", "token.manage")
        assert_problem(administrator.post(TOKENS, NIGHTLY), 403, "not-permitted")
        aging()
        assert_problem(chief.post(TOKENS, NIGHTLY), 403, "confirmation-needed")


class TestListed:
    def test_newest_first_by_account_and_force(self, chief, nightly, laboratory):
        made = [chief.post(TOKENS, NIGHTLY).json()["prefix"] for _ in range(2)]
        chief.post(f"{TOKENS}/{made[0]}/revoke")

        def listed(**asked):
            return [each["prefix"] for each in chief.get(TOKENS, asked).json()["items"]]

        assert listed()[:2] == made[::-1]
        assert len(listed()) == 3
        assert listed(account="nightly") == made[::-1]
        assert listed(account="nightly", in_force="true") == [made[1]]
        assert listed(limit=1) == [made[1]]

    def test_for_administrators_of_that_organisation(self, chief, pipeline, administrator):
        assert_problem(pipeline.get(TOKENS), 403, "not-permitted", "token.view")
        assert_problem(administrator.get(TOKENS), 403, "not-permitted")
        theirs = ApiToken.objects.filter(organisation__slug="operator").get()
        assert_problem(chief.get(f"{TOKENS}/{theirs.prefix}"), 404, "not-found")


class TestRevoked:
    def test_opens_nothing_from_then_on(self, chief, nightly):
        made = chief.post(TOKENS, NIGHTLY).json()
        path = f"{TOKENS}/{made['prefix']}/revoke"
        answers = [chief.post(path) for _ in range(2)]
        assert [each.status_code for each in answers] == [200, 200]
        assert answers[0].json()["revoked_at"] == answers[1].json()["revoked_at"] is not None
        assert_problem(Api(made["secret"]).get("/jobs"), 401, "not-signed-in")
        assert AuditEntry.objects.filter(action="token.revoke").count() == 1

    def test_by_itself(self, chief, nightly):
        made = chief.post(TOKENS, NIGHTLY).json()
        leaked = Api(made["secret"])
        assert leaked.post(f"{TOKENS}/{made['prefix']}/revoke").status_code == 200
        assert leaked.get("/jobs").status_code == 401

    def test_by_no_other_of_its_account(self, chief, nightly):
        """A token that leaked cannot end those that replaced it."""
        first, second = (chief.post(TOKENS, NIGHTLY).json() for _ in range(2))
        answer = Api(first["secret"]).post(f"{TOKENS}/{second['prefix']}/revoke")
        assert_problem(answer, 403, "not-permitted", "token.manage")

    def test_that_is_none(self, chief):
        assert_problem(chief.post(f"{TOKENS}/0123456789/revoke"), 404, "not-found")
