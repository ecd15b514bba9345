"""A person chooses a password by the link that an administrator hands over."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib.auth.tokens import PasswordResetTokenGenerator
from django.test import Client

from missioncontrol.accounts import services
from missioncontrol.accounts.models import Operator
from missioncontrol.accounts.policy import Role
from missioncontrol.audit.models import AuditEntry
from missioncontrol.kernel.errors import NotPermittedError
from tests import factories
from tests.signing_in import PASSWORD, signed_in

pytestmark = pytest.mark.django_db

AT = datetime(2026, 12, 1, tzinfo=UTC)
CHOSEN = "a quite different pass-phrase"


@pytest.fixture
def ours():
    return factories.organisation("ours")


@pytest.fixture
def ada(ours):
    return factories.operator("ada", Role.ADMINISTRATOR, member_of=ours)


@pytest.fixture
def dave(ours, ada):
    return services.create_operator(
        username="dave",
        display_name="Dave",
        organisation=ours,
        roles=[Role.OPERATOR],
        password=None,
        at=AT,
        actor=ada,
    )


def invite(operator, actor="process:test", **options):
    return services.invite(operator=operator, actor=actor, at=AT, **options)


def form_behind(path):
    """Open the link as a stranger's browser does; return it and the form's address, if any."""
    browser = Client()
    answer = browser.get(path)
    return browser, answer["Location"] if answer.status_code == 302 else None


def choose(path, password=CHOSEN):
    """Use the link; tell whether a password was chosen."""
    browser, form = form_behind(path)
    if form is None:
        return False
    answer = browser.post(form, {"password1": password, "password2": password})
    return answer.status_code == 302


def opens(username, password):
    answer = Client().post("/signin/", {"login": username, "password": password})
    return answer.status_code == 302 and answer["Location"] == "/"


class TestTheLink:
    def test_lets_a_person_choose_a_password_and_sign_in(self, dave, ada):
        path = invite(dave, ada)
        assert path.startswith("/account/invitation/")
        assert choose(path)
        assert opens("dave", CHOSEN)

    def test_takes_no_weak_password(self, dave):
        assert not choose(invite(dave), "short")
        dave.refresh_from_db()
        assert not dave.has_usable_password()

    def test_takes_a_long_one_as_it_is_typed(self, dave):
        long = f" Żaba {'x' * 100} "
        assert choose(invite(dave), long)
        assert opens("dave", long)
        assert not opens("dave", long.strip())
        assert not opens("dave", long.lower())
        assert not opens("dave", long[:72])

    def test_is_used_once(self, dave):
        path = invite(dave)
        assert choose(path)
        assert form_behind(path)[1] is None

    def test_is_void_after_a_newer_one(self, dave):
        older, newer = invite(dave), invite(dave)
        assert form_behind(older)[1] is None
        assert choose(newer)

    def test_is_void_after_two_days(self, dave, monkeypatch):
        path = invite(dave)
        lifetime = timedelta(seconds=settings.PASSWORD_RESET_TIMEOUT)
        assert lifetime == timedelta(days=2)
        real = PasswordResetTokenGenerator._now
        for late, is_open in ((timedelta(seconds=-5), True), (timedelta(seconds=5), False)):
            monkeypatch.setattr(
                PasswordResetTokenGenerator,
                "_now",
                lambda self, late=late: real(self) + lifetime + late,
            )
            assert (form_behind(path)[1] is not None) is is_open

    def test_that_opens_nothing_says_so(self, dave):
        path = invite(dave)
        choose(path)
        for over in (path, path[:-3] + "/"):
            page = Client().get(over, follow=True).content.decode()
            assert "This invitation opens nothing" in page
            assert "password1" not in page

    @pytest.mark.parametrize(
        ("password", "again", "told"),
        [
            ("short", None, "too short"),
            ("password1234", None, "too common"),
            (CHOSEN, "another one entirely", "the same password each time"),
        ],
    )
    def test_shows_the_form_again_with_the_reason(self, dave, password, again, told):
        browser, form = form_behind(invite(dave))
        answer = browser.post(form, {"password1": password, "password2": again or password})
        assert told in answer.content.decode()
        dave.refresh_from_db()
        assert not dave.has_usable_password()

    def test_opens_for_nobody_else(self, dave, ours):
        eve = factories.operator("eve", Role.OPERATOR, member_of=ours)
        path = invite(dave)
        key = path.removesuffix("/").rpartition("/")[2]
        assert form_behind(path.replace(key, f"{eve.pk}{key[key.index('-') :]}"))[1] is None

    def test_tells_the_log_of_the_choice(self, dave):
        choose(invite(dave))
        assert AuditEntry.objects.filter(action="operator.password").count() == 1


class TestInvite:
    def test_ends_a_password_that_was_lost_and_all_sessions(self, dave, ada):
        browser = signed_in(dave)
        path = invite(dave, ada)
        assert not opens("dave", PASSWORD)
        assert not UserSession.objects.filter(user=dave).exists()
        assert browser.get("/account/").status_code == 401
        assert choose(path)

    def test_leaves_the_second_factor_unless_asked(self, dave):
        Authenticator.objects.create(user=dave, type="totp", data={})
        invite(dave)
        assert Authenticator.objects.count() == 1
        invite(dave, remove_second_factor=True)
        assert Authenticator.objects.count() == 0

    def test_stands_in_the_log_without_the_key(self, dave, ada):
        Authenticator.objects.create(user=dave, type="totp", data={})
        path = invite(dave, ada, remove_second_factor=True)
        entry = json.loads(bytes(AuditEntry.objects.get(action="operator.invite").entry))
        assert (entry["actor"], entry["subject"]) == ("operator:ada", "operator:dave")
        assert entry["organisation"] == "ours"
        assert entry["details"] == {"authenticators_removed": 1}
        assert path.removesuffix("/").rpartition("-")[2] not in str(entry)

    def test_lets_a_name_that_wrong_passwords_locked_in_again(self, dave):
        path = invite(dave)
        assert choose(path)
        for _ in range(settings.AXES_FAILURE_LIMIT):
            assert not opens("dave", "wrong")
        assert not opens("dave", CHOSEN)  # locked
        assert choose(invite(dave))
        assert opens("dave", CHOSEN)

    def test_is_for_administrators_of_the_home_organisation(self, dave, ours):
        theirs = factories.organisation("theirs")
        eve = factories.operator("eve", Role.ADMINISTRATOR, member_of=theirs)
        services.grant_role(
            operator=dave, organisation=theirs, role=Role.AUDITOR, at=AT, actor="process:test"
        )
        with pytest.raises(NotPermittedError, match=r"account\.manage for Ours"):
            invite(dave, eve)

    def test_refuses_a_service_account(self, ours):
        pipeline = services.create_operator(
            username="pipeline",
            display_name="",
            organisation=ours,
            roles=[Role.PAYLOAD_MEMBER],
            password=None,
            at=AT,
            actor="process:test",
            is_service_account=True,
        )
        with pytest.raises(services.AccountRefusedError, match="signs in nowhere"):
            invite(pipeline)

    def test_refuses_a_closed_account(self, dave):
        Operator.objects.update(is_active=False)
        with pytest.raises(services.AccountRefusedError, match="is closed"):
            invite(dave)

    def test_refuses_an_account_that_no_organisation_keeps(self):
        with pytest.raises(services.AccountRefusedError, match="No organisation keeps"):
            invite(Operator.objects.create(username="stray"))
