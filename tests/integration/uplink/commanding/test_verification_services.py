from __future__ import annotations

import logging
from datetime import timedelta

import pytest

from missioncontrol.audit.models import AuditEntry
from missioncontrol.kernel import clock
from tests.integration.uplink.commanding.conftest import AT, Page, Report
from uplink.commanding import selectors, services, tasks
from uplink.commanding.models import ReadCursor, Telecommand
from uplink.commanding.services import verification

REQUEST = 0x10C9C000


def seconds(count):
    return timedelta(seconds=count)


def report(cursor, stage, after_s=10, **fields):
    return Report(
        cursor=cursor, request_id=REQUEST, stage=stage, at=AT + seconds(after_s), **fields
    )


def process(dd1, *reports, at=AT):
    """Offer *reports* as telemetry would: those after the cursor."""
    return services.process_verification(
        spacecraft=dd1,
        at=at,
        read_reports=lambda _craft, cursor: page(reports, cursor),
    )


def page(reports, cursor, *, end=0):
    """What telemetry gives: the reports after the cursor, and where its log ends."""
    new = [report for report in reports if report.cursor > cursor]
    return Page(reports=new, cursor=max([cursor, end, *(report.cursor for report in new)]))


class TestProcessVerification:
    def test_follows_the_three_stages(self, released, dd1):
        changed = process(
            dd1,
            report(5, "ACCEPTANCE", 10),
            report(6, "START", 11),
            report(9, "COMPLETION", 30),
        )
        assert changed == 3
        released.refresh_from_db()
        assert released.state == "COMPLETED"
        assert (released.accepted_at, released.started_at, released.completed_at) == (
            AT + seconds(10),
            AT + seconds(11),
            AT + seconds(30),
        )
        assert ReadCursor.objects.get().position == 9
        assert AuditEntry.objects.filter(action="telecommand.complete").count() == 1

    def test_changes_nothing_when_called_again(self, released, dd1):
        reports = [report(5, "ACCEPTANCE"), report(6, "COMPLETION")]
        process(dd1, *reports)
        events = [event.kind for event in selectors.telecommand_events(released)]
        assert process(dd1, *reports) == 0
        assert [event.kind for event in selectors.telecommand_events(released)] == events

    def test_changes_nothing_when_a_dump_brings_the_same_reports_again(self, released, dd1):
        process(dd1, report(5, "ACCEPTANCE"), report(6, "COMPLETION"))
        assert process(dd1, report(15, "ACCEPTANCE"), report(16, "COMPLETION")) == 0
        released.refresh_from_db()
        assert released.state == "COMPLETED"
        assert AuditEntry.objects.filter(action="telecommand.complete").count() == 1

    def test_takes_reports_out_of_order(self, released, dd1):
        process(dd1, report(5, "COMPLETION", 30))
        process(dd1, report(6, "ACCEPTANCE", 10))
        released.refresh_from_db()
        assert released.state == "COMPLETED"
        assert released.accepted_at == AT + seconds(10)

    def test_fails_with_stage_and_code(self, released, dd1):
        process(dd1, report(5, "ACCEPTANCE", success=False, code=4))
        released.refresh_from_db()
        assert released.state == "FAILED"
        assert released.failure == "The spacecraft reports that the acceptance failed, code 4."
        assert released.accepted_at is None
        assert AuditEntry.objects.filter(action="telecommand.fail").count() == 1

    def test_takes_the_newest_of_two_with_one_request_number(self, released, dd1):
        newer = Telecommand.objects.get(pk=released.pk)
        newer.pk = None
        newer.released_at = AT + seconds(5)
        newer.save()
        process(dd1, report(5, "COMPLETION"))
        newer.refresh_from_db()
        released.refresh_from_db()
        assert (newer.state, released.state) == ("COMPLETED", "RELEASED")

    def test_does_not_count_a_report_made_before_the_release(self, released, dd1, caplog):
        with caplog.at_level(logging.WARNING):
            assert process(dd1, report(5, "COMPLETION", after_s=-61)) == 0
        assert "not counted" in caplog.text
        released.refresh_from_db()
        assert released.state == "RELEASED"
        assert process(dd1, report(6, "COMPLETION", after_s=-59)) == 1

    def test_says_that_a_report_is_of_no_telecommand_of_ours(self, dd1, caplog):
        with caplog.at_level(logging.WARNING):
            assert process(dd1, report(5, "ACCEPTANCE")) == 0
        assert "request 0x10C9C000, which is no telecommand of ours" in caplog.text
        assert ReadCursor.objects.get().position == 5

    def test_moves_on_past_telemetry_that_holds_no_reports(self, dd1):
        asked = []

        def read(_craft, cursor):
            asked.append(cursor)
            return page([], cursor, end=700)

        for _ in range(2):
            services.process_verification(spacecraft=dd1, at=AT, read_reports=read)
        assert asked == [0, 700]

    def test_keeps_its_place_when_it_crashes(self, released, dd1, monkeypatch):
        def broken(**_kwargs):
            raise RuntimeError("the log is away")

        with monkeypatch.context() as patch:
            patch.setattr(verification, "append_entry", broken)
            with pytest.raises(RuntimeError):
                process(dd1, report(5, "ACCEPTANCE"), report(6, "COMPLETION"))
        released.refresh_from_db()
        assert released.state == "RELEASED"
        assert process(dd1, report(5, "ACCEPTANCE"), report(6, "COMPLETION")) == 2


class TestExpireOverdue:
    def test_gives_up_when_no_acceptance_came_in_time(self, released, dd1):
        services.record_radiated(telecommand_id=released.pk, at=AT)
        assert services.expire_overdue(spacecraft=dd1, at=AT + seconds(120)) == 0
        assert services.expire_overdue(spacecraft=dd1, at=AT + seconds(121)) == 1
        released.refresh_from_db()
        assert released.state == "EXPIRED"
        assert released.failure.startswith(
            "The spacecraft did not report acceptance within 120 s. It may have run"
        )
        assert AuditEntry.objects.filter(action="telecommand.expire").count() == 1
        assert services.expire_overdue(spacecraft=dd1, at=AT + seconds(500)) == 0

    def test_gives_up_when_no_completion_came_in_time(self, released, dd1):
        process(dd1, report(5, "ACCEPTANCE", 100))
        assert services.expire_overdue(spacecraft=dd1, at=AT + seconds(400)) == 0
        assert services.expire_overdue(spacecraft=dd1, at=AT + seconds(401)) == 1
        released.refresh_from_db()
        assert "did not report completion within 300 s" in released.failure

    def test_a_late_report_is_still_believed(self, released, dd1):
        services.record_radiated(telecommand_id=released.pk, at=AT)
        assert services.expire_overdue(spacecraft=dd1, at=AT + seconds(1000)) == 1
        process(dd1, report(5, "COMPLETION", 20), at=AT + seconds(6000))
        released.refresh_from_db()
        assert (released.state, released.failure) == ("COMPLETED", "")

    def test_leaves_what_is_released_to_the_evidence_of_the_next_contacts(self, released, dd1):
        assert services.expire_overdue(spacecraft=dd1, at=AT + timedelta(hours=11)) == 0
        assert services.expire_overdue(spacecraft=dd1, at=AT + timedelta(hours=13)) == 1

    def test_leaves_alone_what_was_not_released(self, approved, dd1):
        assert services.expire_overdue(spacecraft=dd1, at=AT + seconds(10**6)) == 0


class TestSweep:
    def test_reads_reports_before_it_gives_up(self, released, dd1, monkeypatch):
        clock.set_clock(mission_time=AT + seconds(1000), factor=1)
        monkeypatch.setattr(
            verification.telemetry_selectors,
            "verification_reports_since",
            lambda _craft, cursor: page([report(5, "COMPLETION")], cursor),
        )
        assert tasks.sweep_verifications() == 1
        released.refresh_from_db()
        assert released.state == "COMPLETED"
        assert tasks.sweep_verifications() == 0
