from __future__ import annotations

from datetime import timedelta

import pytest

from missioncontrol.audit.models import AuditEntry
from missioncontrol.contacts.models import ContactWindow
from missioncontrol.fleet.models import Ephemeris, GroundStation
from missioncontrol.pipelines.models import PassReport
from missioncontrol.scheduling.models import Contact
from telemetry.models import LinkSession
from tests.integration.missioncontrol.api.conftest import AT, assert_problem, assert_wrong_field


@pytest.fixture
def window(dd1):
    def window(aos):
        return ContactWindow.objects.create(
            spacecraft=dd1,
            station=GroundStation.objects.get(name="KASHI"),
            aos=aos,
            tca=aos + timedelta(minutes=4),
            los=aos + timedelta(minutes=9),
            max_elevation_deg=40.5,
            aos_azimuth_deg=10,
            los_azimuth_deg=170,
            ephemeris=Ephemeris.objects.get(spacecraft=dd1),
            computed_at=AT,
        )

    return window


class TestWindows:
    def test_those_of_the_next_day_unless_told_otherwise(self, pipeline, window):
        window(AT - timedelta(hours=1))
        window(AT + timedelta(hours=23))
        window(AT + timedelta(hours=25))
        assert pipeline.get("/contact-windows").json() == {
            "items": [
                {
                    "spacecraft": "DD-1",
                    "station": "KASHI",
                    "aos": "2026-12-02T11:00:00Z",
                    "tca": "2026-12-02T11:04:00Z",
                    "los": "2026-12-02T11:09:00Z",
                    "max_elevation_deg": 40.5,
                    "aos_azimuth_deg": 10.0,
                    "los_azimuth_deg": 170.0,
                }
            ],
            "next": None,
        }

    def test_of_one_spacecraft_in_an_interval(self, pipeline, window):
        window(AT - timedelta(hours=1))
        window(AT + timedelta(hours=25))
        asked = {
            "spacecraft": "DD-1",
            "start": "2026-12-02T14:00:00+02:00",
            "end": "2026-12-03T00:00:00Z",
        }
        [item] = pipeline.get("/contact-windows", asked).json()["items"]
        assert item["aos"] == "2026-12-02T13:00:00Z"

    def test_come_in_pages(self, pipeline, window):
        for hours in (1, 2, 3):
            window(AT + timedelta(hours=hours))
        first = pipeline.get("/contact-windows", {"limit": 2}).json()
        second = pipeline.get("/contact-windows", {"limit": 2, "cursor": first["next"]}).json()
        aos = [each["aos"][11:13] for each in first["items"] + second["items"]]
        assert (aos, second["next"]) == (["13", "14", "15"], None)

    @pytest.mark.parametrize("start", ["9999-12-31T00:00:00Z", "1969-12-31T23:59:59Z"])
    def test_of_no_time_that_can_be_asked_about(self, pipeline, start):
        response = pipeline.get("/contact-windows", {"start": start})
        assert_wrong_field(response, "query.start", "1970 to 9998", start)

    def test_an_unknown_spacecraft_is_refused_with_the_known_ones(self, pipeline):
        response = pipeline.get("/contact-windows", {"spacecraft": "DD-9"})
        assert_wrong_field(response, "query.spacecraft", "DD-1", "DD-9")

    @pytest.mark.parametrize(
        ("end", "allowed"),
        [("2026-12-01T00:00:00Z", "after the start"), ("2027-12-01T00:00:00Z", "at most 31 days")],
    )
    def test_the_interval_has_limits(self, pipeline, end, allowed):
        asked = {"start": "2026-12-01T00:00:00Z", "end": end}
        assert_wrong_field(pipeline.get("/contact-windows", asked), "query.end", allowed)


class TestList:
    def test_shows_what_is_booked(self, pipeline, book):
        contact = book(drift_s=1.25)
        assert pipeline.get("/contacts").json() == {
            "items": [
                {
                    "id": contact.pk,
                    "spacecraft": "DD-1",
                    "antenna": "KASHI-1",
                    "station": "KASHI",
                    "relay": None,
                    "aos": "2026-12-01T12:20:00Z",
                    "tca": "2026-12-01T12:25:00Z",
                    "los": "2026-12-01T12:30:00Z",
                    "max_elevation_deg": 45.0,
                    "state": "SCHEDULED",
                    "drift_s": 1.25,
                    "failure": "",
                    "frames_good": 0,
                    "frames_bad": 0,
                    "frames_lost": 0,
                }
            ],
            "next": None,
        }

    @pytest.mark.parametrize(
        ("phase", "states"),
        [
            ("scheduled", {"SCHEDULED"}),
            ("in_progress", {"PREPASS", "PASS", "POSTPASS"}),
            ("flown", {"COMPLETED", "FAILED"}),
            ("all", set(Contact.State.values)),
        ],
    )
    def test_by_how_far_they_are(self, pipeline, book, phase, states):
        for state in Contact.State.values:
            book(state=state)
        items = pipeline.get("/contacts", {"state": phase}).json()["items"]
        assert {item["state"] for item in items} == states

    def test_counts_the_frames_of_all_sessions(self, pipeline, book):
        contact = book(state=Contact.State.COMPLETED)
        for good in (100, 23):
            LinkSession.objects.create(
                contact=contact, antenna="KASHI-1", opened_at=AT, frames_good=good, frames_lost=2
            )
        [item] = pipeline.get("/contacts", {"state": "flown"}).json()["items"]
        assert (item["frames_good"], item["frames_bad"], item["frames_lost"]) == (123, 0, 4)

    def test_by_interval(self, pipeline, book):
        contacts = [book() for _ in range(4)]
        asked = {"start": "2026-12-01T12:40:00Z", "end": "2026-12-01T13:20:00Z"}
        items = pipeline.get("/contacts", asked).json()["items"]
        assert [item["id"] for item in items] == [contacts[1].pk, contacts[2].pk]

    def test_page_by_page_nothing_is_left_out_or_repeated(self, pipeline, book):
        booked = [book().pk for _ in range(5)]
        seen, asked, pages = [], {"limit": 2}, 0
        while True:
            page = pipeline.get("/contacts", asked).json()
            seen += [item["id"] for item in page["items"]]
            pages += 1
            if page["next"] is None:
                break
            asked["cursor"] = page["next"]
        assert seen == booked
        assert pages == 3

    def test_an_unknown_state_is_refused_with_the_known_ones(self, pipeline):
        response = pipeline.get("/contacts", {"state": "over"})
        assert_wrong_field(response, "query.state", "'scheduled', 'in_progress', 'flown'", "over")

    def test_an_empty_interval_is_refused(self, pipeline):
        asked = {"start": "2026-12-01T12:40:00Z", "end": "2026-12-01T12:40:00Z"}
        assert_wrong_field(pipeline.get("/contacts", asked), "query.end", "after the start")

    def test_of_an_unknown_spacecraft_is_refused(self, pipeline):
        response = pipeline.get("/contacts", {"spacecraft": "DD-9"})
        assert_wrong_field(response, "query.spacecraft", "DD-1", "DD-9")


class TestOne:
    def test_has_no_report_before_its_end(self, operator, book):
        contact = operator.get(f"/contacts/{book().pk}").json()
        assert contact["state"] == "SCHEDULED"
        assert contact["report"] is None

    def test_has_its_report(self, operator, book):
        contact = book(state=Contact.State.COMPLETED)
        PassReport.objects.create(contact=contact, report={"frames": 12}, created_at=AT)
        assert operator.get(f"/contacts/{contact.pk}").json()["report"] == {"frames": 12}

    def test_a_member_sees_no_report_because_it_tells_of_telemetry(self, pipeline, book):
        contact = book(state=Contact.State.COMPLETED)
        PassReport.objects.create(contact=contact, report={"alarms": []}, created_at=AT)
        assert pipeline.get(f"/contacts/{contact.pk}").json()["report"] is None

    def test_an_unknown_one_is_not_found(self, pipeline):
        assert_problem(pipeline.get("/contacts/99"), 404, "not-found", "no contact 99")


class TestCancel:
    def test_gives_the_contact_up_and_logs_it(self, operator, book):
        contact = book()
        answer = operator.post(f"/contacts/{contact.pk}/cancel")
        assert answer.status_code == 200
        assert answer.json()["state"] == "CANCELLED"
        entry = AuditEntry.objects.get(action="contact.cancelled")
        assert (entry.subject, entry.actor) == (f"contact:{contact.pk}", "operator:alice")

    def test_a_member_may_not(self, pipeline, book):
        contact = book()
        response = pipeline.post(f"/contacts/{contact.pk}/cancel")
        assert_problem(response, 403, "not-permitted", "contact.cancel")
        contact.refresh_from_db()
        assert contact.state == "SCHEDULED"

    def test_one_that_is_over_is_refused(self, operator, book):
        contact = book(state=Contact.State.COMPLETED)
        response = operator.post(f"/contacts/{contact.pk}/cancel")
        assert_problem(response, 409, "refused", "CANCELLED cannot follow")

    def test_an_unknown_one_is_not_found(self, operator):
        assert_problem(operator.post("/contacts/99/cancel"), 404, "not-found", "no contact 99")
