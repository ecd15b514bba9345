from __future__ import annotations

import base64

import pytest

from missioncontrol.audit.models import AuditEntry
from tests.integration.missioncontrol.api.conftest import assert_problem
from uplink.transfers.models import Transfer

JOB = {
    "spacecraft": "DD-1",
    "program": "SHA256",
    "input": base64.b64encode(b"an input").decode(),
}


@pytest.fixture
def transfer(pipeline):
    """The input of a member's job."""
    pipeline.post("/jobs", JOB)
    return Transfer.objects.get()


def test_is_shown_to_its_member_and_to_who_operates_the_spacecraft(pipeline, operator, transfer):
    for api in (pipeline, operator):
        [shown] = api.get("/transfers").json()["items"]
        assert shown == api.get(f"/transfers/{transfer.pk}").json()
        assert shown == {
            "id": transfer.pk,
            "spacecraft": "DD-1",
            "organisation": "ai-laboratory-1",
            "direction": "UP",
            "file_name": transfer.file_name,
            "state": "WAITING",
            "source_entity": transfer.source_entity,
            "sequence_number": 1,
            "size_octets": 8,
            "progress_octets": 0,
            "sha256": transfer.sha256,
            "condition": "",
            "created_at": "2026-12-01T12:00:00Z",
            "completed_at": None,
        }


def test_does_not_exist_for_another_member(rival, transfer):
    assert rival.get("/transfers").json()["items"] == []
    assert_problem(rival.get(f"/transfers/{transfer.pk}"), 404, "not-found")
    assert_problem(rival.post(f"/transfers/{transfer.pk}/cancel"), 404, "not-found")


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({"spacecraft": "DD-1"}, 1),
        ({"direction": "DOWN"}, 0),
        ({"state": "WAITING"}, 1),
        ({"state": "COMPLETED"}, 0),
    ],
)
def test_is_found_by_what_it_is(operator, transfer, asked, found):
    assert len(operator.get("/transfers", asked).json()["items"]) == found


def test_is_given_up_before_it_goes_up(operator, transfer):
    path = f"/transfers/{transfer.pk}"
    answer = operator.post(f"{path}/cancel", **operator.seen(path))
    assert (answer.status_code, answer.json()["state"]) == (200, "CANCELLED")
    assert AuditEntry.objects.get(action="transfer.cancelled").actor == "operator:alice"
    assert_problem(operator.post(f"{path}/cancel"), 409, "refused", "CANCELLED")


def test_is_not_given_up_by_its_member(pipeline, transfer):
    response = pipeline.post(f"/transfers/{transfer.pk}/cancel")
    assert_problem(response, 403, "not-permitted", "transfer.cancel")
