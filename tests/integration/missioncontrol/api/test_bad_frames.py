from __future__ import annotations

import hashlib

import pytest

from telemetry.models import BadFrame
from tests.integration.missioncontrol.api.conftest import AT, assert_problem

OCTETS = bytes(range(40))


@pytest.fixture
def frame(dd1):
    return BadFrame.objects.create(
        spacecraft=dd1,
        station="KASHI",
        received_at=AT,
        fault="fecf",
        reason="its CRC is wrong",
        octets=OCTETS,
    )


def test_says_why_it_could_not_be_used(operator, frame):
    [shown] = operator.get("/bad-frames").json()["items"]
    assert shown == operator.get(f"/bad-frames/{frame.pk}").json()
    assert shown == {
        "id": frame.pk,
        "spacecraft": "DD-1",
        "station": "KASHI",
        "contact": None,
        "received_at": "2026-12-01T12:00:00Z",
        "fault": "fecf",
        "reason": "its CRC is wrong",
        "octets": 40,
        "head": "000102030405060708090a0b",
        "sha256": hashlib.sha256(OCTETS).hexdigest(),
    }


def test_comes_as_it_was_received(operator, frame):
    answer = operator.get(f"/bad-frames/{frame.pk}/octets")
    assert answer.content == OCTETS
    assert answer["Content-Type"] == "application/octet-stream"
    again = operator.get(f"/bad-frames/{frame.pk}/octets", **{"If-None-Match": answer["ETag"]})
    assert again.status_code == 304


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({"spacecraft": "DD-1"}, 1),
        ({"fault": "fecf"}, 1),
        ({"fault": "length"}, 0),
        ({"reason": "its CRC is wrong"}, 1),
        ({"reason": "its CRC"}, 0),
        ({"station": "MOHE"}, 0),
    ],
)
def test_is_found_by_what_it_is(operator, frame, asked, found):
    assert len(operator.get("/bad-frames", asked).json()["items"]) == found


def test_is_not_for_members(pipeline, frame):
    assert_problem(pipeline.get("/bad-frames"), 403, "not-permitted", "telemetry.view")
    for path in (f"/bad-frames/{frame.pk}", f"/bad-frames/{frame.pk}/octets"):
        assert_problem(pipeline.get(path), 404, "not-found")
