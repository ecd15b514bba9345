from __future__ import annotations

from datetime import datetime

import pytest
import redis
from django.db import OperationalError, connection

from missioncontrol.kernel import broker as broker_connections
from missioncontrol.kernel import clock

PASSWORD = "a pass-phrase for the tests"


@pytest.fixture
def account(alice):
    alice.set_password(PASSWORD)
    alice.save()
    return alice


class TestSignIn:
    def test_leads_to_where_one_wanted_to_go(self, account, client):
        answer = client.post(
            "/signin/", {"username": "alice", "password": PASSWORD, "next": "/jobs/"}
        )
        assert answer["Location"] == "/jobs/"
        assert client.get("/jobs/").status_code == 200

    def test_does_not_lead_elsewhere(self, account, client):
        answer = client.post(
            "/signin/",
            {"username": "alice", "password": PASSWORD, "next": "https://elsewhere.example/"},
        )
        assert answer["Location"] == "/"

    @pytest.mark.parametrize(
        ("username", "password"), [("alice", "wrong"), ("nobody", PASSWORD), ("nobody", "wrong")]
    )
    def test_does_not_tell_what_was_wrong(self, account, client, username, password):
        answer = client.post("/signin/", {"username": username, "password": password})
        assert "The name and the password do not belong together" in answer.content.decode()
        assert "_auth_user_id" not in client.session

    def test_is_refused_to_who_is_not_active(self, account, client):
        account.is_active = False
        account.save()
        answer = client.post("/signin/", {"username": "alice", "password": PASSWORD})
        assert "do not belong together" in answer.content.decode()

    def test_ends_with_signing_out(self, account, client):
        client.force_login(account)
        assert client.post("/signout/")["Location"] == "/signin/"
        assert client.get("/").status_code == 302

    def test_out_is_never_done_by_get(self, account, client):
        client.force_login(account)
        assert client.get("/signout/").status_code == 405


class TestAnUnknownAddress:
    def test_says_so_in_the_consoles_look(self, mission, client):
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
