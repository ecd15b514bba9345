from __future__ import annotations

from datetime import timedelta

import pytest

from missioncontrol.pipelines.models import PassStep, RadiationIntent
from telemetry.models import LinkSession
from tests.integration.missioncontrol.api.conftest import AT, assert_problem
from uplink.transfers.models import Transfer


@pytest.fixture
def flown(book, dd1, laboratory):
    """A pass with two steps, two frames, a link session and a member's file."""
    contact = book(state="COMPLETED", started_at=AT)
    for number, kind in enumerate(["PREPASS", "ACQUIRE"], 1):
        PassStep.objects.create(
            contact=contact, number=number, kind=kind, state="DONE", epoch=1, started_at=AT
        )
    for number, state in enumerate(["RADIATED", "NOT_RADIATED"], 1):
        RadiationIntent.objects.create(
            contact=contact,
            number=number,
            what=f"PING #{number}",
            frame_sequence_number=number,
            epoch=1,
            state=state,
            intended_at=AT,
            reported_at=AT + timedelta(seconds=1),
        )
    LinkSession.objects.create(
        contact=contact, antenna="KASHI-1", opened_at=AT, frames_good=5, packets=9
    )
    Transfer.objects.create(
        spacecraft=dd1,
        organisation=laboratory,
        direction="UP",
        source_entity=1,
        sequence_number=1,
        file_name="job-1.in",
        state="ACTIVE",
        stored_name="up/1",
        created_at=AT,
    )
    return f"/contacts/{contact.pk}"


def items(api, path, **asked):
    return api.get(path, asked).json()["items"]


def test_steps_come_in_their_order(pipeline, flown):
    assert [each["kind"] for each in items(pipeline, f"{flown}/steps")] == ["PREPASS", "ACQUIRE"]
    page = pipeline.get(f"{flown}/steps", {"limit": 1}).json()
    [second] = items(pipeline, f"{flown}/steps", cursor=page["next"])
    assert second["kind"] == "ACQUIRE"


def test_frames_tell_what_became_of_them(operator, flown):
    sent, unsent = items(operator, f"{flown}/radiated-items")
    assert sent == {
        "number": 1,
        "what": "PING #1",
        "telecommand": None,
        "frame_sequence_number": 1,
        "epoch": 1,
        "state": "RADIATED",
        "acceptance": "OPEN",
        "evidence": "",
        "intended_at": "2026-12-01T12:00:00Z",
        "radiated_at": "2026-12-01T12:00:01Z",
    }
    assert (unsent["state"], unsent["radiated_at"]) == ("NOT_RADIATED", None)


def test_frames_are_for_those_who_see_telecommands(pipeline, flown):
    response = pipeline.get(f"{flown}/radiated-items")
    assert_problem(response, 403, "not-permitted", "telecommand.view")


def test_links_tell_what_came_over_them(pipeline, flown):
    [session] = items(pipeline, f"{flown}/link-sessions")
    assert (session["frames_good"], session["packets"], session["closed_at"]) == (5, 9, None)


def test_files_are_those_that_one_may_see(operator, pipeline, rival, flown):
    for api in (operator, pipeline):
        [transfer] = items(api, f"{flown}/transfers")
        assert (transfer["file_name"], transfer["state"]) == ("job-1.in", "ACTIVE")
    assert items(rival, f"{flown}/transfers") == []


def test_a_pass_that_has_not_begun_moved_no_files(operator, flown, book):
    assert items(operator, f"/contacts/{book().pk}/transfers") == []


@pytest.mark.parametrize("part", ["steps", "radiated-items", "transfers", "link-sessions"])
def test_a_pass_that_is_none_has_no_parts(operator, part):
    assert_problem(operator.get(f"/contacts/99/{part}"), 404, "not-found", "contact 99")
