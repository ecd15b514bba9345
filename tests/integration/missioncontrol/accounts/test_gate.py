from __future__ import annotations

from datetime import UTC, datetime

import pytest
from django.http import HttpResponse
from django.test import Client, RequestFactory

from missioncontrol.accounts.gate import Gate
from missioncontrol.accounts.models import Membership
from missioncontrol.accounts.policy import Role
from missioncontrol.accounts.services import create_token
from missioncontrol.kernel import clock
from missioncontrol.kernel.organisations import OrganisationContext, current_context
from tests import factories
from tests.signing_in import signed_in

pytestmark = pytest.mark.django_db

AT = datetime(2026, 12, 1, tzinfo=UTC)


@pytest.fixture
def alice():
    return factories.operator("alice", Role.OPERATOR, member_of=factories.organisation("ours"))


def secret_of(operator, organisation):
    return create_token(
        operator=operator, organisation=organisation, name="x", at=AT, wall_at=clock.wall_now()
    )[1]


@pytest.fixture
def ask():
    """Ask for a page and return for whom the view behind the gate worked."""

    def ask(user, **headers):
        request = RequestFactory().get("/anything/", headers=headers)
        request.user = user
        request.session = {}
        seen = []
        gate = Gate(lambda _: seen.append(current_context()) or HttpResponse())
        assert gate(request).status_code == 200
        return seen[0]

    return ask


class TestStrangers:
    @pytest.mark.parametrize(
        "path",
        ["/", "/jobs/", "/no/such/page", "/signin", "/account/", "/static-not/x", "/healthy"],
    )
    def test_get_401_with_a_page_to_sign_in(self, path):
        answer = Client().get(path)
        assert answer.status_code == 401
        assert answer["Content-Type"].startswith("text/html")
        assert 'id="signin"' in answer.content.decode()

    @pytest.mark.parametrize("path", ["/api/v1/clock", "/api/v1/openapi.json", "/api/nowhere"])
    def test_get_a_problem_document_from_the_api(self, path):
        answer = Client().get(path)
        assert answer.status_code == 401
        assert answer["Content-Type"] == "application/problem+json"
        assert answer["WWW-Authenticate"].startswith("Bearer")

    @pytest.mark.parametrize("path", ["/log/checkpoint", "/log/tile/0/000"])
    def test_do_not_read_the_log(self, path):
        answer = Client().get(path)
        assert answer.status_code == 401
        assert "MC_TOKEN" in answer.content.decode()

    def test_post_nothing_anywhere(self):
        answer = Client().post("/jobs/submit/", {"program": "SHA256"})
        assert answer.status_code == 401
        assert 'name="next" value="/"' in answer.content.decode()

    @pytest.mark.parametrize("path", ["/health", "/signin/"])
    def test_reach_health_and_the_sign_in(self, path):
        assert Client().get(path).status_code in {200, 503}

    def test_are_nobody_by_a_wrong_token_whatever_cookies_they_have(self, alice):
        browser = signed_in(alice)
        assert browser.get("/", headers={"Authorization": "Bearer mc_1_2"}).status_code == 401


class TestWhomItLetsIn:
    def test_acts_for_the_organisations_of_a_person(self, ask, alice):
        theirs = factories.organisation("theirs")
        Membership.objects.create(operator=alice, organisation=theirs, role=Role.AUDITOR)
        factories.organisation("others")
        assert ask(alice) == OrganisationContext(
            ids=frozenset({alice.home.pk, theirs.pk}), slugs=frozenset({"ours", "theirs"})
        )

    def test_acts_for_a_tokens_organisation_only(self, ask, alice):
        theirs = factories.organisation("theirs")
        Membership.objects.create(operator=alice, organisation=theirs, role=Role.AUDITOR)
        secret = secret_of(alice, theirs)
        assert ask(alice, Authorization=f"Bearer {secret}").slugs == {"theirs"}

    def test_shows_somebody_without_a_role_nothing(self, ask):
        assert ask(factories.operator("noor")) == OrganisationContext()


class TestWhatIsAnswered:
    @pytest.mark.parametrize("path", ["/", "/account/", "/api/v1/me", "/signin/", "/no/such"])
    def test_is_kept_by_no_cache(self, alice, path):
        for browser in (Client(), signed_in(alice)):
            assert "no-store" in browser.get(path)["Cache-Control"]

    @pytest.mark.parametrize("path", ["/", "/signin/", "/health", "/api/v1/me", "/log/checkpoint"])
    def test_is_never_the_request_itself(self, alice, path):
        for browser in (Client(), signed_in(alice)):
            answer = browser.trace(path, headers={"X-Secret": "not to be seen"})
            assert answer.status_code in {401, 404, 405}
            assert b"not to be seen" not in answer.content

    def test_leaves_a_line_of_who_was_refused_what(self, alice, caplog):
        secret = secret_of(alice, alice.home)
        signed_in(alice).post("/consortium/ours/roles/grant/")
        Client(headers={"Authorization": f"Bearer {secret}"}).get(
            "/api/v1/organisations/ours/tokens"
        )
        lines = [each.message for each in caplog.records if each.name.endswith("accounts.gate")]
        assert lines == [
            "alice may not POST /consortium/ours/roles/grant/ (session)",
            f"alice may not GET /api/v1/organisations/ours/tokens (token {secret.split('_')[1]})",
        ]

    def test_writes_no_line_by_an_address(self, alice, caplog):
        signed_in(alice).get("/telemetry/DD-1%0A2026-12-01 forged/")
        assert not [each for each in caplog.records if "\n" in each.getMessage()]
