from __future__ import annotations

from datetime import UTC, datetime

import pytest
from django.test import Client

from missioncontrol.accounts import services
from missioncontrol.accounts.policy import Role
from missioncontrol.audit.models import AuditEntry
from missioncontrol.kernel.errors import NotPermittedError
from tests import factories

pytestmark = pytest.mark.django_db

AT = datetime(2026, 12, 1, tzinfo=UTC)
CHOSEN = "a pass-phrase of my own"


@pytest.fixture
def ours():
    return factories.organisation("ours")


@pytest.fixture
def ada(ours):
    return factories.operator("ada", Role.ADMINISTRATOR, member_of=ours)


@pytest.fixture
def ines(ours):
    """Somebody who has no password yet."""
    person = factories.operator("ines", Role.OPERATOR, member_of=ours)
    person.set_unusable_password()
    person.save()
    return person


def accept(browser, path, password=CHOSEN, again=None):
    form = browser.get(path, follow=True)
    return browser.post(
        form.request["PATH_INFO"], {"password1": password, "password2": again or password}
    )


class TestAnInvitation:
    def test_lets_a_person_choose_a_password_and_sign_in(self, ada, ines):
        browser = Client()
        answer = accept(browser, services.invite(operator=ines, actor=ada, at=AT))
        assert answer["Location"] == "/account/invitation/done/"
        browser.post("/signin/", {"login": "ines", "password": CHOSEN})
        assert browser.get("/").status_code == 200

    def test_stands_in_the_log_without_its_address(self, ada, ines):
        path = services.invite(operator=ines, actor=ada, at=AT)
        entry = AuditEntry.objects.get(action="operator.invite")
        assert (entry.actor, entry.subject) == ("operator:ada", "operator:ines")
        assert path.split("/")[-2].encode() not in bytes(entry.entry)

    def test_opens_nothing_twice(self, ada, ines):
        path = services.invite(operator=ines, actor=ada, at=AT)
        accept(Client(), path)
        page = Client().get(path).content.decode()
        assert "This invitation opens nothing" in page
        assert "password1" not in page

    def test_that_is_not_whole_opens_nothing(self, ada, ines):
        path = services.invite(operator=ines, actor=ada, at=AT)
        assert "opens nothing" in Client().get(path[:-3] + "/").content.decode()

    @pytest.mark.parametrize(
        ("password", "again", "told"),
        [
            ("short", None, "too short"),
            ("password1234", None, "too common"),
            (CHOSEN, "another one entirely", "the same password each time"),
        ],
    )
    def test_shows_the_form_again_with_the_reason(self, ada, ines, password, again, told):
        path = services.invite(operator=ines, actor=ada, at=AT)
        answer = accept(Client(), path, password, again)
        assert told in answer.content.decode()
        ines.refresh_from_db()
        assert not ines.has_usable_password()

    def test_is_not_made_for_a_service_account(self, ada, ines):
        ines.is_service_account = True
        with pytest.raises(services.AccountRefusedError, match="works with tokens only"):
            services.invite(operator=ines, actor=ada, at=AT)

    def test_is_not_made_for_a_closed_account(self, ada, ines):
        ines.is_active = False
        with pytest.raises(services.AccountRefusedError, match=r"is closed\. Open it"):
            services.invite(operator=ines, actor=ada, at=AT)

    def test_is_made_by_the_administrators_of_who_keeps_the_account(self, ines):
        theirs = factories.organisation("theirs")
        eve = factories.operator("eve", Role.ADMINISTRATOR, member_of=theirs)
        with pytest.raises(NotPermittedError):
            services.invite(operator=ines, actor=eve, at=AT)
        ines.home = None
        with pytest.raises(services.AccountRefusedError, match="No organisation keeps"):
            services.invite(operator=ines, actor=eve, at=AT)
