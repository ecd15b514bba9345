from __future__ import annotations

import hashlib
import json
from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction

from missioncontrol.audit.models import AuditEntry
from missioncontrol.audit.services import sequence_entries
from tests.integration.missioncontrol.audit.log_entries import private_part
from tests.integration.uplink.commanding.conftest import AT
from uplink.commanding import selectors, services
from uplink.commanding.models import PacketSequenceCounter, Telecommand
from uplink.commanding.services import release as release_module

LATER = AT + timedelta(minutes=1)


def release(telecommand, at=AT):
    return services.release_telecommand(telecommand_id=telecommand.pk, contact_id=12, at=at)


class TestReleaseTelecommand:
    def test_waits_until_the_approval_is_published(self, approved, published):
        assert release(approved) is None
        approved.refresh_from_db()
        assert approved.state == "APPROVED"
        assert not PacketSequenceCounter.objects.exists()
        published.add(approved.approval_entry_id)
        assert release(approved) is not None

    def test_takes_the_word_of_the_real_log(self, approved):
        assert release(approved) is None
        sequence_entries(at=AT)
        assert selectors.releasable(approved.spacecraft) == [approved]
        assert release(approved) is not None

    def test_gives_the_packet_and_keeps_it(self, approved, published):
        published.add(approved.approval_entry_id)
        packet = release(approved, LATER)
        assert packet.hex(" ") == "10 c9 c0 00 00 02 01 01 01"
        approved.refresh_from_db()
        assert bytes(approved.packet) == packet
        assert approved.request_id == 0x10C9C000
        assert (approved.state, approved.released_at, approved.contact_id) == (
            "RELEASED",
            LATER,
            12,
        )
        entry = AuditEntry.objects.get(action="telecommand.release")
        assert json.loads(bytes(entry.entry))["details"] == {
            "contact": 12,
            "request_id": 0x10C9C000,
        }
        assert private_part(entry) == {"packet_sha256": hashlib.sha256(packet).hexdigest()}

    def test_gives_it_once(self, released):
        assert release(released) is None
        assert AuditEntry.objects.filter(action="telecommand.release").count() == 1

    def test_gives_nothing_before_the_approval(self, submitted, published):
        assert release(submitted) is None

    def test_sends_what_was_approved_when_the_definition_has_changed_since(
        self, approved, published, dd1
    ):
        dd1.telecommands[2]["function_code"] = 99
        dd1.save()
        published.add(approved.approval_entry_id)
        assert release(approved)[6] == 1

    def test_counts_on_for_each_apid(self, dd1, alice, bob, published):
        counts = []
        for name, arguments in [("PING", {}), ("SET_TM_RATE", {"PERIOD_S": 5}), ("PING", {})]:
            telecommand = services.submit_telecommand(
                spacecraft=dd1, name=name, arguments=arguments, submitted_by=alice, at=AT
            )
            services.approve_telecommand(telecommand_id=telecommand.pk, approver=bob, at=AT)
            telecommand.refresh_from_db()
            published.add(telecommand.approval_entry_id)
            counts.append(int.from_bytes(release(telecommand)[2:4], "big") & 0x3FFF)
        assert counts == [0, 1, 2]

    def test_gives_nothing_to_the_second_of_two_at_once(self, approved, published, monkeypatch):
        published.add(approved.approval_entry_id)
        encode = release_module._next_packet
        won = []

        def overtaken(telecommand):
            """Let another executor release it between this one's look and its change."""
            monkeypatch.setattr(release_module, "_next_packet", encode)
            won.append(release(approved))
            return encode(telecommand)

        monkeypatch.setattr(release_module, "_next_packet", overtaken)
        assert release(approved, LATER) is None
        [packet] = won
        approved.refresh_from_db()
        assert bytes(approved.packet) == packet
        assert approved.released_at == AT
        assert AuditEntry.objects.filter(action="telecommand.release").count() == 1


class TestRecordRadiated:
    def test_moves_on_and_keeps_the_time(self, released):
        assert services.record_radiated(telecommand_id=released.pk, at=LATER)
        released.refresh_from_db()
        assert (released.state, released.radiated_at) == ("RADIATED", LATER)
        entry = AuditEntry.objects.get(action="telecommand.radiate")
        assert (entry.actor, entry.at) == ("process:pass-executor", LATER)
        assert json.loads(bytes(entry.entry))["details"] == {"contact": 12, "state": "RADIATED"}

    def test_changes_nothing_the_second_time(self, released):
        services.record_radiated(telecommand_id=released.pk, at=AT)
        assert not services.record_radiated(telecommand_id=released.pk, at=LATER)
        released.refresh_from_db()
        assert released.radiated_at == AT
        assert AuditEntry.objects.filter(action="telecommand.radiate").count() == 1

    def test_keeps_only_the_time_when_the_spacecraft_was_faster(self, released):
        Telecommand.objects.filter(pk=released.pk).update(state="ACCEPTED")
        assert services.record_radiated(telecommand_id=released.pk, at=LATER)
        released.refresh_from_db()
        assert (released.state, released.radiated_at) == ("ACCEPTED", LATER)

    def test_refuses_what_was_never_released(self, approved):
        assert not services.record_radiated(telecommand_id=approved.pk, at=AT)


class TestRecordNotRadiated:
    def test_makes_it_releasable_again_under_a_new_count(self, released):
        first = released.request_id
        assert services.record_not_radiated(
            telecommand_id=released.pk, reason="LOS before the CLTU", at=LATER
        )
        released.refresh_from_db()
        assert (released.state, released.request_id, released.released_at) == (
            "APPROVED",
            None,
            None,
        )
        assert release(released, LATER)
        released.refresh_from_db()
        assert released.request_id == first + 1
        assert [event.kind for event in selectors.telecommand_events(released)] == [
            "SUBMITTED", "APPROVED", "RELEASED", "NOT_RADIATED", "RELEASED",
        ]  # fmt: skip

    def test_refuses_what_was_radiated(self, released):
        services.record_radiated(telecommand_id=released.pk, at=AT)
        assert not services.record_not_radiated(telecommand_id=released.pk, reason="?", at=LATER)
        released.refresh_from_db()
        assert released.state == "RADIATED"


class TestReserveSequenceCounts:
    def test_never_gives_a_count_twice(self, dd1):
        firsts = [
            services.reserve_sequence_counts(spacecraft=dd1, apid=121, count=count)
            for count in (1, 10, 1)
        ]
        assert firsts == [0, 1, 11]

    def test_runs_on_at_the_modulus(self, dd1):
        PacketSequenceCounter.objects.create(spacecraft=dd1, apid=121, next_count=16_383)
        assert services.reserve_sequence_counts(spacecraft=dd1, apid=121, count=2) == 16_383
        assert PacketSequenceCounter.objects.get().next_count == 1

    @pytest.mark.parametrize("count", [0, -1, 16_385])
    def test_refuses_a_senseless_number(self, dd1, count):
        with pytest.raises(ValueError, match="1 to 16384"):
            services.reserve_sequence_counts(spacecraft=dd1, apid=121, count=count)

    def test_the_database_refuses_a_count_beyond_14_bits(self, dd1):
        with pytest.raises(IntegrityError, match="counter_in_range"), transaction.atomic():
            PacketSequenceCounter.objects.create(spacecraft=dd1, apid=1, next_count=16_384)


class TestReleasable:
    def test_lists_approved_ones_that_the_log_has_numbered(self, approved, dd1):
        assert selectors.releasable(dd1) == []
        AuditEntry.objects.filter(pk=approved.approval_entry_id).update(log_index=1)
        assert selectors.releasable(dd1) == [approved]
