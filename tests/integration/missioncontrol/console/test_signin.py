from __future__ import annotations

import json
from datetime import datetime
from urllib.parse import quote

import pytest
import redis
from django.db import OperationalError, connection
from django.test import Client

from missioncontrol.accounts.policy import Role
from missioncontrol.audit.models import AuditEntry
from missioncontrol.kernel import broker as broker_connections
from missioncontrol.kernel import clock
from tests.integration.missioncontrol.console.conftest import AT
from tests.signing_in import PASSWORD
from uplink.commanding.services import submit_telecommand

WRONG = "The name and the password do not belong together"


@pytest.fixture
def account(alice):
    alice.set_password(PASSWORD)
    alice.save()
    return alice


def sign_in(client, username="alice", password=PASSWORD, **fields):
    return client.post("/signin/", {"login": username, "password": password, **fields})


def entries(action):
    rows = AuditEntry.objects.filter(action=action).order_by("pk")
    return [json.loads(bytes(row.entry)) for row in rows]


class TestSignIn:
    def test_leads_to_where_one_wanted_to_go(self, account, client):
        answer = sign_in(client, next="/jobs/")
        assert answer["Location"] == "/jobs/"
        assert client.get("/jobs/").status_code == 200

    def test_does_not_lead_elsewhere(self, account, client):
        assert sign_in(client, next="https://elsewhere.example/")["Location"] == "/"

    @pytest.mark.parametrize(
        ("username", "password"), [("alice", "wrong"), ("nobody", PASSWORD), ("nobody", "wrong")]
    )
    def test_does_not_tell_what_was_wrong(self, account, client, username, password):
        answer = sign_in(client, username, password)
        assert WRONG in answer.content.decode()
        assert "_auth_user_id" not in client.session

    def test_is_refused_to_who_is_not_active(self, account, client):
        account.is_active = False
        account.save()
        sign_in(client)
        assert WRONG in client.get("/signin/").content.decode()
        assert "_auth_user_id" not in client.session

    def test_is_refused_to_a_service_account(self, account, client):
        account.is_service_account = True
        account.save()
        sign_in(client)
        assert WRONG in client.get("/signin/").content.decode()
        assert "_auth_user_id" not in client.session

    def test_changes_the_session_so_that_none_can_be_planted(self, account, client):
        client.get("/signin/")
        client.session["planted"] = "yes"
        before = client.session.session_key
        sign_in(client)
        assert client.session.session_key != before

    def test_ends_with_signing_out(self, account, client):
        sign_in(client)
        assert client.post("/signout/")["Location"] == "/signin/"
        assert client.get("/").status_code == 401

    def test_out_has_the_browser_forget_what_it_showed(self, account, client):
        sign_in(client)
        assert client.post("/signout/")["Clear-Site-Data"] == '"cache", "storage"'

    def test_out_is_never_done_by_get(self, account, client):
        sign_in(client)
        assert client.get("/signout/").status_code == 405

    def test_in_and_out_stand_in_the_log(self, account, client):
        sign_in(client)
        client.post("/signout/")
        [begin], [end] = entries("session.begin"), entries("session.end")
        assert (begin["actor"], begin["details"]) == ("operator:alice", {"method": "password"})
        assert (end["subject"], end["organisation"]) == ("operator:alice", "operator")

    def test_works_while_the_broker_is_away(self, account, client, settings):
        settings.CACHES = {
            "default": {**settings.CACHES["default"], "LOCATION": "unix:///nowhere/broker.sock"}
        }
        assert sign_in(client).status_code == 302


class TestWrongPasswords:
    def test_lock_the_name_at_that_address_for_a_while(self, account, client):
        for _ in range(5):
            answer = sign_in(client, password="wrong")
        assert answer.status_code == 429
        assert "quarter of an hour" in answer.content.decode()
        assert sign_in(client).status_code == 429  # also with the right one
        assert len(entries("session.lock")) == 1

    def test_do_not_keep_the_operator_out_who_sits_elsewhere(self, account):
        stranger, operator = Client(REMOTE_ADDR="203.0.113.9"), Client(REMOTE_ADDR="10.0.0.7")
        for _ in range(6):
            sign_in(stranger, password="wrong")
        assert sign_in(operator).status_code == 302

    def test_are_forgotten_after_a_right_one(self, account, client):
        for _ in range(2):
            for _ in range(4):
                sign_in(client, password="wrong")
            assert sign_in(client).status_code == 302
            client.post("/signout/")

    def test_of_names_that_nobody_has_are_not_logged(self, account, client):
        for _ in range(6):
            sign_in(client, "my-password-in-the-wrong-field", "x")
        assert entries("session.lock") == []


class TestStepUp:
    @pytest.fixture
    def telecommand(self, mission, person):
        dora = person("dora", Role.OPERATOR)
        return submit_telecommand(
            spacecraft=mission, name="PING", arguments={}, submitted_by=dora, at=AT
        )

    @pytest.fixture
    def stale(self, account, client):
        """Alice, signed in ten minutes ago."""
        sign_in(client)
        session = client.session
        session["account_authentication_methods"][-1]["at"] -= 600
        session.save()
        return client

    def test_asks_who_signed_in_long_ago_and_then_does_it(self, stale, telecommand):
        address = f"/commands/{telecommand.pk}/approve/"
        asked = stale.post(address, {"next": "/commands/"})
        assert asked["Location"] == f"/account/confirm/?next={quote(address, safe='')}"
        telecommand.refresh_from_db()
        assert telecommand.state == "SUBMITTED"
        answer = stale.post("/account/confirm/", {"password": PASSWORD, "next": address})
        assert answer["Location"] == "/commands/"
        telecommand.refresh_from_db()
        assert telecommand.state == "APPROVED"

    def test_does_nothing_on_a_wrong_password(self, stale, telecommand):
        address = f"/commands/{telecommand.pk}/approve/"
        stale.post(address)
        answer = stale.post("/account/confirm/", {"password": "wrong", "next": address})
        assert answer.status_code == 200
        telecommand.refresh_from_db()
        assert telecommand.state == "SUBMITTED"

    def test_is_not_asked_for_what_takes_none(self, stale, telecommand):
        stale.post(f"/commands/{telecommand.pk}/reject/", {"reason": "Not now."})
        telecommand.refresh_from_db()
        assert telecommand.state == "REJECTED"

    def test_holds_for_five_minutes(self, account, client, telecommand):
        sign_in(client)
        session = client.session
        session["account_authentication_methods"][-1]["at"] -= 290
        session.save()
        client.post(f"/commands/{telecommand.pk}/approve/")
        telecommand.refresh_from_db()
        assert telecommand.state == "APPROVED"


class TestAnUnknownAddress:
    def test_tells_a_stranger_no_more_than_any_other(self, mission, client):
        assert client.get("/no/such/page/").status_code == 401

    def test_says_so_in_the_consoles_look(self, account, client):
        sign_in(client)
        answer = client.get("/no/such/page/")
        assert answer.status_code == 404
        assert 'data-error="404"' in answer.content.decode()


class TestHealth:
    def test_is_open_and_tells_the_clock(self, mission, client):
        answer = client.get("/health")
        content = answer.json()
        assert answer.status_code == 200
        assert content["status"] == "ok"
        assert datetime.fromisoformat(content["clock"]["mission_time"]).tzinfo is not None
        assert content["clock"]["factor"] == clock.factor()
        assert content["clock"]["frozen"] is False

    def test_tells_the_age_of_the_earth_orientation_data(self, mission, client):
        data = client.get("/health").json()["earth_orientation"]
        assert set(data) == {"age_days", "limit_days", "warning"}
        assert data["limit_days"] == 60.0
        assert (data["warning"] == "") is (data["age_days"] <= 60.0)

    def test_fails_without_the_broker(self, mission, client, monkeypatch):
        nowhere = redis.Redis.from_url("unix:///nowhere/broker.sock")
        monkeypatch.setattr(broker_connections, "connection", lambda: nowhere)
        answer = client.get("/health")
        assert answer.status_code == 503
        assert answer.json()["failures"] == ["the broker does not answer"]

    def test_fails_without_the_database(self, mission, client):
        def away(*_arguments):
            raise OperationalError("away")

        with connection.execute_wrapper(away):
            answer = client.get("/health")
        assert answer.status_code == 503
        assert answer.json() == {
            "status": "failing",
            "failures": ["the database does not answer"],
        }
