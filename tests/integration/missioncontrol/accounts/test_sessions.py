from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from missioncontrol.accounts import services
from missioncontrol.accounts.policy import Role
from missioncontrol.audit.models import AuditEntry
from tests import factories
from tests.signing_in import PASSWORD, signed_in

pytestmark = pytest.mark.django_db

AT = datetime(2026, 12, 1, tzinfo=UTC)
NEW = "another pass-phrase of mine"


@pytest.fixture
def alice():
    return factories.operator("alice", Role.OPERATOR)


def ended():
    rows = AuditEntry.objects.filter(action="session.end").order_by("pk")
    return [json.loads(bytes(row.entry))["details"] for row in rows]


class TestEndingTheOtherSessions:
    def test_leaves_the_one_that_asks(self, alice):
        here, there, elsewhere = (signed_in(alice) for _ in range(3))
        count = services.end_other_sessions(
            operator=alice, session_key=here.session.session_key, at=AT
        )
        assert count == 2
        assert here.get("/account/").status_code == 200
        assert there.get("/account/").status_code == elsewhere.get("/account/").status_code == 401
        assert ended() == [{"others": "2"}]

    def test_leaves_those_of_others(self, alice):
        bob = signed_in(factories.operator("bob", Role.OPERATOR))
        services.end_other_sessions(operator=alice, session_key="", at=AT)
        assert bob.get("/account/").status_code == 200
        assert ended() == []


class TestANewPassword:
    def test_ends_the_sessions_elsewhere(self, alice):
        here, there = signed_in(alice), signed_in(alice)
        answer = here.post(
            "/account/password/",
            {"oldpassword": PASSWORD, "password1": NEW, "password2": NEW},
        )
        assert answer["Location"] == "/account/"
        assert here.get("/account/").content.decode().count("data-session=") == 1
        # The row is gone, not only unusable: an open live line goes by it.
        assert not there.session.exists(there.session.session_key)

    def test_of_an_invitation_ends_them_all(self, alice):
        there = signed_in(alice)
        services.note_password(operator=alice, session_key="", at=AT)
        assert there.get("/account/").status_code == 401
