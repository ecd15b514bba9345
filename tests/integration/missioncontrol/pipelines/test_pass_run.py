from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from missioncontrol.audit.models import AuditEntry
from missioncontrol.kernel import clock
from missioncontrol.pipelines import selectors
from missioncontrol.pipelines.executor.station import StationService
from missioncontrol.pipelines.models import (
    Acceptance,
    IntentState,
    PassStep,
    RadiationIntent,
    StepKind,
    StepState,
)
from missioncontrol.pipelines.services import LeaseLostError
from missioncontrol.scheduling.models import Contact
from tests.integration.missioncontrol.pipelines.scripted_station import wait_for
from uplink.links.items import ItemKind, decode_item

pytestmark = pytest.mark.timeout(60)


class Killed(BaseException):
    """Plays kill -9: nothing catches it, nothing is written after it."""


def is_acknowledged(telecommand):
    def check() -> bool:
        telecommand.refresh_from_db()
        return telecommand.state == "RADIATED"

    return check


def kill_at_first_cltu(monkeypatch, *, sent: bool):
    """End the run at its first telecommand CLTU, just after or just before it is sent."""
    send = StationService.send

    def deadly(self, item, cltu):
        if decode_item(item).kind is ItemKind.TELECOMMAND:
            if sent:
                send(self, item, cltu)
            raise Killed
        return send(self, item, cltu)

    monkeypatch.setattr(StationService, "send", deadly)


def telecommand_packets(stage) -> int:
    return len(stage.onboard.accepted)


class TestPassRun:
    def test_radiates_a_telecommand_in_sequence_and_hears_its_acknowledgement(
        self, stage, approved
    ):
        ping = approved()
        stage.end_when = is_acknowledged(ping)
        assert stage.run() == "COMPLETED"
        assert stage.onboard.accepted == [bytes(ping.packet)]
        [intent] = selectors.radiation_intents(stage.contact)
        assert (intent.telecommand, intent.state, intent.acceptance) == (
            ping,
            IntentState.RADIATED,
            Acceptance.ACCEPTED,
        )
        assert (intent.number, intent.epoch, intent.frame_sequence_number) == (1, 1, 0)

    def test_writes_each_step_and_a_report(self, stage, approved):
        stage.end_when = is_acknowledged(approved())
        stage.run()
        steps = selectors.pass_steps(stage.contact)
        assert [(step.number, step.kind) for step in steps] == list(
            enumerate(["PREPASS", "ACQUIRE", "COP1", "SERVE", "LOS", "POSTPASS", "REPORT"], 1)
        )
        assert {step.state for step in steps} == {StepState.DONE}
        assert "can be reached" in steps[0].detail
        assert "FARM-1 expects 0" in steps[2].detail
        stage.contact.refresh_from_db()
        assert stage.contact.state == Contact.State.COMPLETED
        report = selectors.pass_report(stage.contact).report
        assert report["max_elevation_deg"] == {"predicted": 87.0, "reported": 34.5}
        [frame] = report["telecommands"]
        assert (frame["what"].split()[0], frame["telecommand_state"]) == ("PING", "RADIATED")
        assert report["uplink"]["cop1"]["accepted"] == 1
        assert AuditEntry.objects.filter(action="pass.report").count() == 1

    def test_repeats_a_cltu_that_was_lost(self, stage, approved):
        ping = approved()
        stage.station.lose = lambda count: count == 1
        stage.end_when = is_acknowledged(ping)
        assert stage.run() == "COMPLETED"
        assert telecommand_packets(stage) == 1
        assert len(stage.station.received) >= 2
        assert len({cltu.octets for cltu in stage.station.received}) == 1
        assert len({cltu.item for cltu in stage.station.received}) >= 2
        assert RadiationIntent.objects.count() == 1

    def test_keeps_the_order_when_the_first_of_several_is_lost(self, stage, approved):
        telecommands = [approved("SET_TM_RATE", PERIOD_S=period) for period in (1, 2, 3)]
        stage.station.lose = lambda count: count == 1
        stage.end_when = is_acknowledged(telecommands[-1])
        stage.run()
        assert [data[-1] for data in stage.onboard.accepted] == [1, 2, 3]

    def test_goes_on_where_the_receiver_stands(self, stage, approved):
        stage.onboard.farm._expected = 250
        telecommands = [approved() for _ in range(12)]
        stage.end_when = is_acknowledged(telecommands[-1])
        assert stage.run() == "COMPLETED"
        assert telecommand_packets(stage) == 12
        assert stage.onboard.farm.expected_sequence_number == 6
        saved = selectors.fop_state(stage.contact.spacecraft, 0)
        assert saved.state == {"next_number": 6}

    def test_sends_a_long_telecommand_in_several_frames(self, stage, approved):
        spacecraft = stage.contact.spacecraft
        spacecraft.link_profile["tc"]["max_frame_octets"] = 24
        spacecraft.save()
        run_job = approved("RUN_JOB", JOB=7, PROGRAM="SHA256", INPUT_SHA256="ab" * 32)
        stage.station.lose = lambda count: count == 2
        stage.end_when = is_acknowledged(run_job)
        assert stage.run() == "COMPLETED"
        assert b"".join(stage.onboard.accepted) == bytes(run_job.packet)
        intents = selectors.radiation_intents(stage.contact)
        assert [intent.is_last_frame for intent in intents] == [False, False, True]
        assert {intent.acceptance for intent in intents} == {Acceptance.ACCEPTED}

    def test_judges_no_frame_lost_that_the_station_may_still_radiate(self, stage, approved):
        """The station keeps the first CLTU back; FARM-1 locks out; only then does it go."""
        ping = approved()
        kept = []

        def keep_the_first_back(count: int) -> bool:
            if count == 1:
                stage.onboard.farm._lockout = True
                kept.append(stage.station.received[0].octets)
                wait_for(lambda: bool(released))
                stage.onboard.farm._lockout = False
                stage.onboard.receive(kept[0])
            return count == 1

        released = []

        def release_later() -> None:
            if kept:
                waits.append(1)
            if len(waits) == 4:
                released.append(1)

        waits = []
        stage.station.lose = keep_the_first_back
        stage.every_nudge = release_later
        stage.end_when = is_acknowledged(ping)
        assert stage.run() == "COMPLETED"
        assert telecommand_packets(stage) == 1
        [frame, *others] = selectors.radiation_intents(stage.contact)
        assert frame.acceptance == Acceptance.ACCEPTED
        assert {intent.what for intent in others} <= {"Unlock of FARM-1"}

    def test_tells_the_consoles_how_it_goes(self, stage, approved, monkeypatch):
        messages = []
        monkeypatch.setattr("missioncontrol.kernel.live.publish", messages.append)
        approved()
        stage.end_when = lambda: any(
            message.get("telecommand_frames_accepted") for message in messages
        )
        stage.run()
        shown = [message for message in messages if "cop1" in message]
        assert shown[0]["type"] == "pass"
        assert shown[0]["contact"] == stage.contact.pk
        last = shown[-1]
        assert (last["telecommand_frames"], last["telecommand_frames_accepted"]) == (1, 1)
        assert last["elevation_deg"] == 34.5
        assert last["state"] in ("PASS", "POSTPASS")

    def test_ends_a_lockout_first(self, stage, approved):
        ping = approved()
        stage.onboard.farm._lockout = True
        stage.end_when = is_acknowledged(ping)
        assert stage.run() == "COMPLETED"
        assert telecommand_packets(stage) == 1
        assert [intent.what for intent in selectors.radiation_intents(stage.contact)] == [
            "Unlock of FARM-1",
            str(ping),
        ]

    def test_sends_what_the_file_entity_has_without_intents(self, stage):
        stage.transfers.packets = [bytes([number]) * 800 for number in range(40)]
        stage.end_when = lambda: len(stage.onboard.files) == 40
        assert stage.run() == "COMPLETED"
        assert [data[0] for data in stage.onboard.files] == list(range(40))
        assert stage.transfers.suspended >= 1
        assert not RadiationIntent.objects.exists()
        report = selectors.pass_report(stage.contact).report
        assert report["uplink"]["file_cltus"] == 40

    def test_connects_again_after_an_interruption(self, stage, approved):
        ping = approved()
        stage.end_when = is_acknowledged(ping)
        interruptions = iter(["maintenance"])

        def interrupt() -> None:
            stage.station.end_with = next(interruptions, None)

        stage.every_nudge = interrupt
        assert stage.run() == "COMPLETED"
        assert telecommand_packets(stage) == 1
        assert len(stage.station.hellos) >= 2

    def test_fails_with_the_stations_reason_when_it_never_gave_the_service(self, stage):
        stage.station.refusal = "DD-1 is 12.3 deg below the mask of KASHI-1"
        assert stage.run() == "FAILED"
        stage.contact.refresh_from_db()
        assert stage.contact.state == Contact.State.FAILED
        assert "12.3 deg below the mask" in stage.contact.failure
        assert selectors.pass_report(stage.contact).report["failure"] == stage.contact.failure

    def test_fails_when_no_telemetry_came(self, stage, approved):
        ping = approved()
        stage.onboard.silent = True
        assert stage.run() == "FAILED"
        stage.contact.refresh_from_db()
        assert "no telemetry with a CLCW came" in stage.contact.failure
        ping.refresh_from_db()
        assert ping.state == "APPROVED"
        assert stage.station.received == []

    def test_waits_for_the_spacecrafts_pass_before(self, stage):
        earlier = Contact.objects.create(
            **{
                name: getattr(stage.contact, name)
                for name in (
                    *("spacecraft", "antenna", "profile", "tca", "los", "max_elevation_deg"),
                    *("aos_azimuth_deg", "los_azimuth_deg", "pre_pass_s", "post_pass_s"),
                    "booked_at",
                )
            },
            aos=stage.contact.aos - timedelta(seconds=60),
            state=Contact.State.POSTPASS,
            lease_expires_at=datetime.now(UTC) + timedelta(seconds=1.5),
        )
        opened = []

        def open_transfers():
            opened.append(datetime.now(UTC))
            return stage.transfers

        stage.open_transfers = open_transfers
        stage.end_when = lambda: True
        stage.run()
        assert opened[0] >= earlier.lease_expires_at


class TestPassRunThatCameLate:
    @pytest.fixture
    def over(self, stage):
        """The pass is over, and its executor died in it."""
        at = clock.now()
        stage.contact.aos, stage.contact.los = at - timedelta(600), at - timedelta(seconds=300)
        stage.contact.state, stage.contact.lease_epoch = Contact.State.PASS, 1
        stage.contact.save()
        return stage

    def test_completes_a_pass_that_had_signal_by_its_report_alone(self, over):
        PassStep.objects.create(
            contact=over.contact,
            number=1,
            kind=StepKind.ACQUIRE,
            state=StepState.DONE,
            epoch=1,
            started_at=over.contact.aos,
        )
        over.open_transfers = lambda: 1 / 0  # not touched: a later pass may have it
        assert over.run() == "COMPLETED"
        assert selectors.pass_report(over.contact).report["epoch"] == 2
        assert over.station.hellos == []

    def test_fails_a_pass_that_had_none(self, over):
        assert over.run() == "FAILED"
        over.contact.refresh_from_db()
        assert over.contact.failure == "No executor was running during the pass."


class TestPassRunThatLostItsLease:
    def test_stops_and_touches_nothing_when_another_has_the_contact(self, stage, approved):
        approved()
        lease = stage.claim()
        others = []

        def take_over() -> None:
            if telecommand_packets(stage) and not others:
                others.append(stage.claim("another"))
                stage.rows = list(RadiationIntent.objects.values())

        stage.every_nudge = take_over
        with pytest.raises(LeaseLostError, match="epoch"):
            stage.run(lease)
        assert list(RadiationIntent.objects.values()) == stage.rows
        assert selectors.pass_report(stage.contact) is None
        stage.contact.refresh_from_db()
        assert (stage.contact.state, stage.contact.lease_holder) == ("PASS", "another")

    def test_radiates_nothing_once_the_station_has_seen_a_higher_epoch(self, stage, approved):
        ping = approved()
        lease = stage.claim()

        def fence() -> None:
            stage.station.highest_epoch = 2
            Contact.objects.filter(pk=stage.contact.pk).update(lease_holder="another")

        stage.every_nudge = fence
        with pytest.raises(LeaseLostError):
            stage.run(lease)
        assert stage.onboard.accepted == []
        ping.refresh_from_db()
        assert ping.state in ("APPROVED", "RELEASED")


class TestPassRunAfterAKill:
    def resume(self, stage, monkeypatch, ping) -> str:
        with pytest.raises(Killed):
            stage.run()
        monkeypatch.undo()
        stage.end_when = is_acknowledged(ping)
        return stage.run()

    def test_does_not_send_again_what_was_accepted(self, stage, approved, monkeypatch):
        ping = approved()
        kill_at_first_cltu(monkeypatch, sent=True)
        assert self.resume(stage, monkeypatch, ping) == "COMPLETED"
        assert telecommand_packets(stage) == 1
        assert len(stage.station.received) == 1
        [intent] = selectors.radiation_intents(stage.contact)
        assert (intent.epoch, intent.state, intent.acceptance) == (
            1,
            IntentState.RADIATED,
            Acceptance.ACCEPTED,
        )
        assert intent.evidence == "N(S) 0, N(R) 1 of the CLCW"
        assert stage.station.highest_epoch == 2
        assert "INTERRUPTED" in {step.state for step in selectors.pass_steps(stage.contact)}

    @pytest.mark.parametrize("sent", [True, False], ids=["lost on the way", "never sent"])
    def test_sends_once_more_what_provably_did_not_arrive(
        self, stage, approved, monkeypatch, sent
    ):
        ping = approved()
        stage.station.lose = lambda count: sent and count == 1
        kill_at_first_cltu(monkeypatch, sent=sent)
        assert self.resume(stage, monkeypatch, ping) == "COMPLETED"
        assert telecommand_packets(stage) == 1
        first, second = selectors.radiation_intents(stage.contact)
        assert (first.epoch, first.acceptance) == (1, Acceptance.NOT_ACCEPTED)
        assert first.state == (IntentState.RADIATED if sent else IntentState.NOT_RADIATED)
        assert (second.epoch, second.acceptance) == (2, Acceptance.ACCEPTED)
        assert first.telecommand == second.telecommand == ping

    def test_sends_nothing_again_where_nothing_is_proven(self, stage, approved, monkeypatch):
        ping = approved()
        kill_at_first_cltu(monkeypatch, sent=True)
        with pytest.raises(Killed):
            stage.run()
        monkeypatch.undo()
        wait_for(lambda: telecommand_packets(stage) == 1)
        stage.onboard.farm._expected = 77  # the receiver was reset meanwhile
        other = approved()
        stage.end_when = is_acknowledged(other)
        assert stage.run() == "COMPLETED"
        doubtful, sent = selectors.radiation_intents(stage.contact)
        assert (doubtful.state, doubtful.acceptance) == (
            IntentState.RADIATED,
            Acceptance.UNKNOWN,
        )
        assert (sent.telecommand, sent.frame_sequence_number) == (other, 77)
        ping.refresh_from_db()
        assert ping.state == "RELEASED"
        assert telecommand_packets(stage) == 2
