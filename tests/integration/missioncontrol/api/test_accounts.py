from __future__ import annotations

import pytest
from django.test import Client

from missioncontrol.accounts.models import Membership, Operator
from missioncontrol.accounts.policy import Role
from missioncontrol.audit.models import AuditEntry
from tests import factories
from tests.integration.missioncontrol.api.conftest import assert_problem, assert_wrong_field
from tests.signing_in import signed_in

ACCOUNTS = "/organisations/operator/accounts"
DAVE = {"username": "dave", "display_name": "Dave Ode", "roles": ["operator", "approver"]}
NEW = {"If-None-Match": "*"}
ANY = {"If-Match": "*"}


@pytest.fixture
def dave(administrator):
    answer = administrator.post(ACCOUNTS, DAVE)
    assert answer.status_code == 201, answer.content
    return Operator.objects.get(username="dave")


class TestMade:
    def test_belongs_to_the_organisation_with_its_roles(self, administrator):
        answer = administrator.post(ACCOUNTS, DAVE)
        assert answer.status_code == 201
        assert answer["Location"] == f"/api/v1{ACCOUNTS}/dave"
        assert answer.json() == administrator.get(f"{ACCOUNTS}/dave").json()
        assert answer.json() == {
            "username": "dave",
            "display_name": "Dave Ode",
            "home": "operator",
            "service_account": False,
            "active": True,
            "roles": ["operator", "approver"],
            "has_password": False,
            "has_second_factor": False,
        }
        assert AuditEntry.objects.get(action="operator.create").actor == "operator:ada"

    def test_may_be_a_pipelines(self, administrator):
        asked = {"username": "nightly", "roles": ["operator"], "service_account": True}
        assert administrator.post(ACCOUNTS, asked).json()["service_account"] is True
        assert Operator.objects.get(username="nightly").is_service_account

    def test_has_a_name_of_its_own(self, administrator, dave):
        assert_problem(administrator.post(ACCOUNTS, DAVE), 409, "refused", "'dave' is taken")

    @pytest.mark.parametrize(
        ("fields", "field"),
        [
            ({"username": "da ve"}, "body.username"),
            ({"username": ""}, "body.username"),
            ({"roles": ["king"]}, "body.roles.0"),
            ({"display_name": "x" * 121}, "body.display_name"),
            ({"password": "hush"}, "body.password"),
        ],
    )
    def test_with_wrong_fields_is_refused(self, administrator, fields, field):
        assert_wrong_field(administrator.post(ACCOUNTS, DAVE | fields), field, "")
        assert not Operator.objects.filter(username="dave").exists()

    def test_takes_an_administrator_with_a_fresh_proof(
        self, administrator, operator, pipeline, aging
    ):
        for other in (operator, pipeline):
            answer = other.post(ACCOUNTS, DAVE)
            assert_problem(answer, 403, "not-permitted", "account.manage")
        aging()
        answer = administrator.post(ACCOUNTS, DAVE)
        assert_problem(answer, 403, "confirmation-needed")


class TestListed:
    def test_are_those_kept_or_given_a_role_by_name(self, administrator, dave, laboratory):
        carol = factories.operator("carol", Role.PAYLOAD_MEMBER, member_of=laboratory)
        home = dave.home
        Membership.objects.create(operator=carol, organisation=home, role=Role.AUDITOR)
        first = administrator.get(ACCOUNTS, {"limit": 2}).json()
        second = administrator.get(ACCOUNTS, {"cursor": first["next"]}).json()
        items = first["items"] + second["items"]
        assert [each["username"] for each in items] == ["ada", "carol", "dave"]
        # What carol is for her own organisation is none of ours.
        assert (items[1]["home"], items[1]["roles"]) == ("ai-laboratory-1", ["auditor"])

    def test_are_for_administrators_and_auditors_of_that_organisation(
        self, administrator, operator
    ):
        assert_problem(operator.get(ACCOUNTS), 403, "not-permitted", "account.view")
        theirs = ACCOUNTS.replace("operator", "ai-laboratory-1")
        assert_problem(administrator.get(theirs), 403, "not-permitted")

    def test_are_not_other_organisations(self, administrator, laboratory):
        factories.operator("carol", Role.PAYLOAD_MEMBER, member_of=laboratory)
        answer = administrator.get(f"{ACCOUNTS}/carol")
        assert_problem(answer, 404, "not-found", "has no account 'carol'")


class TestChanged:
    PATH = f"{ACCOUNTS}/dave"

    @pytest.mark.parametrize(
        ("method", "path"),
        [
            ("post", "close"),
            ("post", "open"),
            ("put", "roles/auditor"),
            ("delete", "roles/approver"),
        ],
    )
    def test_only_as_it_was_seen(self, administrator, dave, method, path):
        change = getattr(administrator, method)
        answer = change(f"{self.PATH}/{path}")
        assert_problem(answer, 428, "precondition-required", "Read it first")
        answer = change(f"{self.PATH}/{path}", **{"If-Match": '"x"'})
        assert_problem(answer, 412, "precondition-failed")
        answer = change(f"{self.PATH}/{path}", **administrator.seen(self.PATH))
        assert answer.status_code in {200, 204}

    def test_to_closed_and_open_again(self, administrator, dave):
        browser = signed_in(dave)
        answer = administrator.post(f"{self.PATH}/close", **administrator.seen(self.PATH))
        assert answer.json()["active"] is False
        assert browser.get("/").status_code == 401
        answer = administrator.post(f"{self.PATH}/open", **{"If-Match": answer["ETag"]})
        assert answer.json()["active"] is True

    def test_by_roles_given_and_taken(self, administrator, dave):
        answer = administrator.put(f"{self.PATH}/roles/auditor", **ANY)
        assert answer.json()["roles"] == ["operator", "approver", "auditor"]
        assert administrator.put(f"{self.PATH}/roles/auditor", **ANY).status_code == 200
        answer = administrator.delete(f"{self.PATH}/roles/operator", **ANY)
        assert (answer.status_code, answer.content) == (204, b"")
        roles = administrator.get(self.PATH).json()["roles"]
        assert roles == ["approver", "auditor"]
        answer = administrator.delete(f"{self.PATH}/roles/operator", **ANY)
        assert_problem(answer, 409, "refused", "is not operator")

    def test_to_one_of_ours_from_another_organisation(self, administrator, laboratory):
        factories.operator("carol", Role.PAYLOAD_MEMBER, member_of=laboratory)
        path = f"{ACCOUNTS}/carol"
        assert_problem(
            administrator.put(f"{path}/roles/auditor", **ANY), 412, "precondition-failed"
        )
        answer = administrator.put(f"{path}/roles/auditor", **NEW)
        assert (answer.status_code, answer.json()["roles"]) == (200, ["auditor"])
        answer = administrator.put(f"{path}/roles/operator", **NEW)
        assert_problem(answer, 412, "precondition-failed", "It is there already")
        # Whoever keeps the account closes it.
        answer = administrator.post(f"{path}/close", **ANY)
        assert_problem(answer, 403, "not-permitted", "account.manage for AI Laboratory One")

    def test_to_nobody(self, administrator):
        answer = administrator.put(f"{ACCOUNTS}/nobody/roles/auditor", **NEW)
        assert_problem(answer, 404, "not-found", "no account 'nobody'")
        assert_wrong_field(
            administrator.put(f"{ACCOUNTS}/ada/roles/king", **ANY), "path.role", "'operator'"
        )

    def test_never_so_that_nobody_is_left(self, administrator):
        answer = administrator.delete(f"{ACCOUNTS}/ada/roles/administrator", **ANY)
        assert_problem(answer, 409, "refused", "last administrator")


class TestInvited:
    PATH = f"{ACCOUNTS}/dave/invitation"

    def test_by_a_link_that_opens_once(self, administrator, dave):
        answer = administrator.post(self.PATH, {})
        invitation = answer.json()
        assert answer.status_code == 200
        assert invitation["username"] == "dave"
        assert invitation["url"].startswith("http://testserver/account/invitation/")
        path = invitation["url"].removeprefix("http://testserver")
        assert Client().get(path).status_code == 302

    def test_with_the_second_factor_gone_if_asked(self, administrator, dave):
        asked = {"remove_second_factor": True}
        assert administrator.post(self.PATH, asked).status_code == 200
        assert AuditEntry.objects.filter(action="operator.invite").count() == 1

    def test_by_administrators_only(self, administrator, operator, dave, aging):
        assert_problem(operator.post(self.PATH, {}), 403, "not-permitted")
        aging()
        assert_problem(administrator.post(self.PATH, {}), 403, "confirmation-needed")
