from __future__ import annotations

from datetime import datetime, timedelta

from missioncontrol.accounts.models import Membership
from missioncontrol.accounts.policy import Action, Role
from missioncontrol.accounts.services import create_token
from missioncontrol.kernel import clock
from tests.integration.missioncontrol.api.conftest import AT, Api
from tests.signing_in import signed_in


def test_tells_a_pipeline_what_its_token_may_do(laboratory, pipeline):
    account = laboratory.accounts.get()
    _, secret = create_token(
        operator=account,
        organisation=laboratory,
        name="nightly",
        at=AT,
        wall_at=clock.wall_now(),
        scopes=[Action.JOB_VIEW, Action.WEBHOOK_MANAGE],
    )
    me = Api(secret).get("/me").json()
    assert (me["username"], me["home"]) == ("pipeline", "ai-laboratory-1")
    assert me["memberships"] == [
        {
            "organisation": "ai-laboratory-1",
            "roles": ["payload_member"],
            "actions": ["job.view", "webhook.manage"],
        }
    ]
    assert me["token"]["scopes"] == ["job.view", "webhook.manage"]
    assert me["token"]["prefix"] == secret.split("_")[1]
    assert me["take_confirmation"] == ["webhook.manage"]


def test_tells_until_when_a_proof_of_identity_holds(pipeline):
    me = pipeline.get("/me").json()
    until = datetime.fromisoformat(me["confirmed_until"]) - clock.wall_now()
    assert timedelta(minutes=4) < until <= timedelta(minutes=5)


def test_tells_a_person_all_that_they_are(alice, laboratory):
    Membership.objects.create(operator=alice, organisation=laboratory, role=Role.AUDITOR)
    me = signed_in(alice).get("/api/v1/me").json()
    assert me["token"] is None
    assert [each["organisation"] for each in me["memberships"]] == [
        "ai-laboratory-1",
        "operator",
    ]
    assert "telemetry.view" in me["memberships"][1]["actions"]
    assert "telemetry.view" not in me["memberships"][0]["actions"]
