from __future__ import annotations

import pytest

from missioncontrol.audit.merkle.keys import KeyType, SigningKey
from missioncontrol.audit.models import AuditEntry, Witness
from tests.integration.missioncontrol.api.conftest import assert_problem, assert_wrong_field


def vkey(kind=KeyType.COSIGNATURE_V1, seed=b"w"):
    return SigningKey(name="witness.example", type=kind, seed=seed * 32).verifier.to_vkey()


WITNESS = {
    "name": "laboratory one",
    "organisation": "ai-laboratory-1",
    "vkey": vkey(),
    "url": "https://witness.laboratory.example",
}


@pytest.fixture
def registered(administrator):
    answer = administrator.post("/witnesses", WITNESS)
    assert answer.status_code == 201, answer.content
    return answer


def test_is_asked_from_its_registration_on(administrator, pipeline, registered):
    assert registered["Location"] == "/api/v1/witnesses/laboratory%20one"
    [shown] = pipeline.get("/witnesses").json()["items"]
    assert shown == registered.json() == pipeline.get("/witnesses/laboratory one").json()
    assert shown == WITNESS | {
        "active": True,
        "cosigned_size": 0,
        "last_seen_at": None,
        "fault": "",
    }
    assert AuditEntry.objects.get(action="witness.register").actor == "operator:ada"


def test_is_shown_also_when_it_is_retired(administrator, registered):
    answer = administrator.post("/witnesses/laboratory one/retire")
    assert (answer.status_code, answer.json()["active"]) == (200, False)
    assert administrator.get("/witnesses/laboratory one").json()["active"] is False
    again = administrator.post("/witnesses/laboratory one/retire")
    assert_problem(again, 404, "not-found", "no active witness")


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"organisation": "nobody"}, "body.organisation"),
        ({"url": "ftp://witness"}, "body.url"),
        ({"name": "a/b"}, "body.name"),
        ({"name": ""}, "body.name"),
    ],
)
def test_with_wrong_fields_is_refused(administrator, fields, field):
    assert_wrong_field(administrator.post("/witnesses", WITNESS | fields), field, "")
    assert not Witness.objects.exists()


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"vkey": "nonsense"}, "no witness's key"),
        ({"vkey": vkey(KeyType.ED25519)}, "has the type 0x01"),
        ({"url": "https://["}, "not the address of a witness"),
    ],
)
def test_that_is_none_is_refused(administrator, fields, why):
    assert_problem(administrator.post("/witnesses", WITNESS | fields), 409, "refused", why)


def test_is_the_business_of_administrators_of_the_mission(
    administrator, operator, pipeline, registered, aging
):
    for other in (operator, pipeline):
        answer = other.post("/witnesses", WITNESS)
        assert_problem(answer, 403, "not-permitted", "witness.manage")
        answer = other.post("/witnesses/laboratory one/retire")
        assert_problem(answer, 403, "not-permitted", "witness.manage")
    aging()
    answer = administrator.post("/witnesses/laboratory one/retire")
    assert_problem(answer, 403, "confirmation-needed")
