"""An organisation's people sign in through its own identity provider, over real HTTP."""

from __future__ import annotations

from datetime import UTC, datetime
from urllib.parse import urlsplit

import pytest
from django.test import Client

from missioncontrol.accounts import services
from missioncontrol.accounts.models import Operator, SingleSignOn
from missioncontrol.accounts.policy import Role
from missioncontrol.audit.models import AuditEntry
from missioncontrol.kernel.errors import NotPermittedError
from tests import factories
from tests.integration.missioncontrol.accounts.identity_provider import (
    CLIENT_ID,
    CLIENT_SECRET,
    asked_by,
    identity_provider,
)

pytestmark = pytest.mark.django_db

AT = datetime(2026, 12, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def running():
    with identity_provider() as provider:
        yield provider


@pytest.fixture
def provider(running):
    running.person = {"sub": "4711", "preferred_username": "mei", "name": "Mei Lin"}
    running.codes.clear()
    return running


@pytest.fixture
def laboratory():
    return factories.organisation("laboratory")


@pytest.fixture
def ada(laboratory):
    return factories.operator("ada", Role.ADMINISTRATOR, member_of=laboratory)


def set_up(organisation, provider, actor, **fields):
    values = {"issuer": provider.issuer, "client_id": CLIENT_ID, "client_secret": CLIENT_SECRET}
    return services.set_single_sign_on(
        organisation=organisation, actor=actor, at=AT, **{**values, **fields}
    )


def go_through(provider, browser, slug="laboratory", **fields):
    """Press the organisation's button, be vouched for, come back."""
    there = browser.post(f"/account/single-sign-on/{slug}/login/", fields)
    back = urlsplit(provider.authorize(asked_by(there)))
    return browser.get(f"{back.path}?{back.query}")


class TestSigningIn:
    @pytest.fixture(autouse=True)
    def _is_set_up(self, laboratory, provider, ada):
        set_up(laboratory, provider, ada)

    def test_is_offered_where_one_signs_in(self, client):
        assert 'data-single-sign-on="laboratory"' in client.get("/signin/").content.decode()

    def test_makes_an_account_without_any_role(self, client, provider, laboratory):
        answer = go_through(provider, client, next="/account/")
        assert answer["Location"] == "/account/"
        mei = Operator.objects.get(username="laboratory.mei")
        assert (mei.home, mei.display_name, mei.roles_held()) == (laboratory, "Mei Lin", [])
        assert client.get("/").status_code == 403  # in, but without a role
        assert (
            AuditEntry.objects.get(
                action="operator.create", subject="operator:laboratory.mei"
            ).actor
            == "single-sign-on:laboratory"
        )
        assert b'"method":"socialaccount"' in bytes(
            AuditEntry.objects.get(action="session.begin").entry
        )

    def test_finds_the_same_account_again(self, provider, laboratory, ada):
        go_through(provider, Client())
        mei = Operator.objects.get(username="laboratory.mei")
        services.grant_role(
            operator=mei, organisation=laboratory, role=Role.PAYLOAD_MEMBER, at=AT, actor=ada
        )
        provider.person["preferred_username"] = "mei.lin"  # renamed there: still the same person
        browser = Client()
        go_through(provider, browser)
        assert Operator.objects.count() == 2
        assert browser.get("/jobs/").status_code == 200

    def test_never_takes_over_an_account_by_its_name(self, provider):
        factories.operator("laboratory.mei", Role.OPERATOR)
        browser = Client()
        go_through(provider, browser)
        made = Operator.objects.exclude(username__in=["ada", "laboratory.mei"]).get()
        assert made.username.startswith("laboratory.mei-")
        assert made.roles_held() == []

    @pytest.mark.parametrize(
        ("name", "kept"), [("../../etc", "....etc"), ("", "member"), ("a b:c", "abc")]
    )
    def test_makes_a_name_of_whatever_the_provider_says(self, client, provider, name, kept):
        provider.person["preferred_username"] = name
        go_through(provider, client)
        assert Operator.objects.filter(username=f"laboratory.{kept}").exists()

    def test_is_refused_to_a_closed_account(self, provider, ada):
        go_through(provider, Client())
        mei = Operator.objects.get(username="laboratory.mei")
        services.close_account(operator=mei, actor=ada, at=AT, wall_at=AT)
        browser = Client()
        assert go_through(provider, browser)["Location"] == "/signin/"
        assert browser.get("/").status_code == 401

    def test_is_told_when_the_provider_does_not_confirm(self, client, provider, laboratory, ada):
        set_up(laboratory, provider, ada, client_secret="another")
        answer = go_through(provider, client)
        assert answer["Location"] == "/signin/"
        assert "did not confirm the sign-in" in client.get("/signin/").content.decode()

    def test_takes_no_answer_that_was_not_asked_for(self, client, provider):
        answer = client.get(
            "/account/single-sign-on/laboratory/login/callback/", {"code": "x", "state": "forged"}
        )
        assert answer["Location"] == "/signin/"
        assert not Operator.objects.filter(username="laboratory.mei").exists()

    def test_has_no_address_for_an_organisation_without_it(self, client):
        answer = client.post("/account/single-sign-on/elsewhere/login/")
        assert answer.status_code == 404


class TestSettingItUp:
    def test_seals_the_clients_secret(self, laboratory, provider, ada):
        row = set_up(laboratory, provider, ada)
        assert CLIENT_SECRET not in row.sealed_secret
        assert CLIENT_SECRET.encode() not in bytes(AuditEntry.objects.get().entry)

    def test_keeps_the_secret_that_is_stored(self, laboratory, provider, ada):
        before = set_up(laboratory, provider, ada).sealed_secret
        set_up(laboratory, provider, ada, client_secret=None, client_id="other")
        row = SingleSignOn.objects.get()
        assert (row.sealed_secret, row.client_id) == (before, "other")

    @pytest.mark.parametrize(
        "issuer",
        [
            "",
            "http://login.example",
            "ftp://login.example",
            "https://",
            "https://user@login.example",
            "login.example",
        ],
    )
    def test_refuses_an_address_that_is_none(self, laboratory, provider, ada, issuer):
        with pytest.raises(services.AccountRefusedError, match="no address of an identity"):
            set_up(laboratory, provider, ada, issuer=issuer)

    @pytest.mark.parametrize("missing", [{"client_id": ""}, {"client_secret": None}])
    def test_refuses_what_is_not_complete(self, laboratory, provider, ada, missing):
        with pytest.raises(services.AccountRefusedError, match="identifier and its secret"):
            set_up(laboratory, provider, ada, **missing)

    def test_is_for_the_organisations_administrators(self, laboratory, provider):
        eve = factories.operator(
            "eve", Role.ADMINISTRATOR, member_of=factories.organisation("elsewhere")
        )
        with pytest.raises(NotPermittedError):
            set_up(laboratory, provider, eve)

    def test_ends_when_it_is_removed(self, client, laboratory, provider, ada):
        set_up(laboratory, provider, ada)
        services.remove_single_sign_on(organisation=laboratory, actor=ada, at=AT)
        assert client.post("/account/single-sign-on/laboratory/login/").status_code == 404
        with pytest.raises(services.AccountRefusedError, match="has no single sign-on"):
            services.remove_single_sign_on(organisation=laboratory, actor=ada, at=AT)
