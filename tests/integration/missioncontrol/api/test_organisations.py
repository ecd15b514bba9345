from __future__ import annotations

import pytest

from missioncontrol.accounts.models import Organisation, SingleSignOn
from missioncontrol.audit.models import AuditEntry
from tests.integration.missioncontrol.api.conftest import (
    assert_problem,
    assert_wrong_field,
)

PATH = "/organisations/operator/single-sign-on"
PROVIDER = {
    "issuer": "https://login.operator.example/realms/people",
    "client_id": "mission-control",
    "client_secret": "hush",
}
NEW = {"If-None-Match": "*"}


@pytest.fixture
def set_up(administrator):
    assert administrator.put(PATH, PROVIDER, **NEW).status_code == 200


class TestOrganisations:
    def test_are_all_members_of_the_consortium_in_pages(self, pipeline):
        slugs, cursor = [], None
        while True:
            asked = {"limit": 10} | ({"cursor": cursor} if cursor else {})
            page = pipeline.get("/organisations", asked).json()
            slugs += [each["slug"] for each in page["items"]]
            cursor = page["next"]
            if cursor is None:
                break
        assert slugs == sorted(Organisation.objects.values_list("slug", flat=True))

    def test_are_shown_one_by_one(self, pipeline):
        answer = pipeline.get("/organisations/ai-laboratory-2")
        assert answer.json() == {
            "slug": "ai-laboratory-2",
            "name": "AI Laboratory Two",
            "kind": "ai_laboratory",
        }
        assert answer["ETag"]
        assert_problem(pipeline.get("/organisations/nobody"), 404, "not-found", "'nobody'")


class TestSingleSignOn:
    def test_is_set_and_shown_without_its_secret(self, administrator, set_up):
        shown = administrator.get(PATH).json()
        assert shown == {
            "issuer": PROVIDER["issuer"],
            "client_id": "mission-control",
            "enabled": True,
        }
        assert SingleSignOn.objects.get().sealed_secret not in {"", "hush"}
        assert AuditEntry.objects.get(action="single_sign_on.set").actor == "operator:ada"

    def test_keeps_its_secret_unless_a_new_one_is_sent(self, administrator, set_up):
        sealed = SingleSignOn.objects.get().sealed_secret
        changed = {**PROVIDER, "client_id": "other"}
        del changed["client_secret"]
        answer = administrator.put(PATH, changed, **administrator.seen(PATH))
        assert answer.json()["client_id"] == "other"
        assert answer["ETag"] == administrator.get(PATH)["ETag"]
        assert SingleSignOn.objects.get().sealed_secret == sealed

    def test_is_not_changed_unless_what_is_changed_was_seen(self, administrator, set_up):
        answer = administrator.put(PATH, PROVIDER)
        assert_problem(answer, 428, "precondition-required", "If-Match")
        answer = administrator.put(PATH, PROVIDER, **{"If-Match": '"x"'})
        assert_problem(answer, 412, "precondition-failed")
        answer = administrator.put(PATH, PROVIDER, **NEW)
        assert_problem(answer, 412, "precondition-failed", "It is there already")

    def test_that_is_none_cannot_be_replaced(self, administrator):
        assert_problem(administrator.get(PATH), 404, "not-found", "has no single sign-on")
        answer = administrator.put(PATH, PROVIDER, **{"If-Match": "*"})
        assert_problem(answer, 412, "precondition-failed")
        assert_problem(administrator.delete(PATH, **{"If-Match": "*"}), 404, "not-found")

    def test_is_removed(self, administrator, set_up):
        assert_problem(administrator.delete(PATH), 428, "precondition-required")
        answer = administrator.delete(PATH, **administrator.seen(PATH))
        assert (answer.status_code, answer.content) == (204, b"")
        assert not SingleSignOn.objects.exists()

    @pytest.mark.parametrize("issuer", ["http://login.example", "https://[", "https://u@x"])
    def test_takes_no_address_that_cannot_be_one(self, administrator, issuer):
        answer = administrator.put(PATH, PROVIDER | {"issuer": issuer}, **NEW)
        assert_problem(answer, 409, "refused", "no address of an identity provider")

    def test_with_wrong_fields_is_refused(self, administrator):
        answer = administrator.put(PATH, PROVIDER | {"issuer": "ldap://x"}, **NEW)
        assert_wrong_field(answer, "body.issuer", "pattern")

    def test_takes_a_fresh_proof_of_identity(self, administrator, set_up, aging):
        seen = administrator.seen(PATH)
        aging()
        answer = administrator.put(PATH, PROVIDER, **seen)
        assert_problem(answer, 403, "confirmation-needed", "last 5 minutes")
        assert administrator.get(PATH).status_code == 200

    def test_is_for_administrators_of_that_organisation(self, administrator, operator, set_up):
        assert_problem(operator.get(PATH), 403, "not-permitted", "single_sign_on.manage")
        theirs = PATH.replace("operator", "ai-laboratory-1")
        for answer in (
            administrator.get(theirs),
            administrator.put(theirs, PROVIDER, **NEW),
            administrator.delete(theirs, **{"If-Match": "*"}),
        ):
            assert_problem(answer, 403, "not-permitted", "acts for Mission Operator")
