from __future__ import annotations

import hashlib

import pytest
from django.db import IntegrityError, transaction

from missioncontrol.accounts.policy import Role
from missioncontrol.audit.models import AuditEntry
from missioncontrol.kernel.errors import NotPermittedError
from tests import factories
from tests.integration.missioncontrol.audit.log_entries import private_part
from tests.integration.telemetry import craft
from tests.integration.telemetry.craft import AT
from uplink.transfers import services, storage
from uplink.transfers.models import Transfer
from uplink.transfers.runtime import TransferRuntime


@pytest.fixture
def alice(db):
    return factories.operator("alice", Role.OPERATOR)


class TestStartUplink:
    def test_stores_the_file_and_waits_for_a_contact(self, put):
        transfer = put(b"octets")
        assert (transfer.state, transfer.direction) == ("WAITING", "UP")
        assert transfer.sha256 == hashlib.sha256(b"octets").hexdigest()
        assert storage.read(transfer.stored_name) == b"octets"
        entry = AuditEntry.objects.get()
        assert (entry.action, entry.actor) == ("transfer.start", "process:test")
        assert private_part(entry)["octets"] == 6
        assert transfer.sha256.encode() not in bytes(entry.entry)

    def test_gives_every_file_a_number_of_its_own(self, dd1, put, link):
        numbers = [put().sequence_number for _ in range(3)]
        link.until(
            TransferRuntime(dd1, AT),
            lambda: Transfer.objects.filter(state="COMPLETED").count() == 3,
        )
        Transfer.objects.update(entity_state={})
        numbers += [put().sequence_number]
        assert numbers == [1, 2, 3, 4]

    def test_counts_for_each_spacecraft(self, put):
        put()
        other = craft.spacecraft("DD-2", ccsds_id=0x43)
        first = services.start_uplink(
            spacecraft=other, file_name="a", content=b"a", actor="process:test", at=AT
        )
        assert first.sequence_number == 1
        assert storage.read(first.stored_name) == b"a"

    @pytest.mark.parametrize("name", ["", "x" * 256, "é" * 128, "a\0b"])
    def test_refuses_a_name_that_the_protocol_cannot_carry(self, put, name):
        with pytest.raises(services.TransferRefusedError, match="1 to 255 are allowed"):
            put(b"", name)
        assert not Transfer.objects.exists()

    def test_refuses_a_file_that_is_too_long(self, put, monkeypatch):
        monkeypatch.setattr(services, "MAX_FILE_OCTETS", 10)
        with pytest.raises(services.TransferRefusedError, match="the limit is 10"):
            put(b"x" * 11)

    def test_the_database_refuses_a_number_twice(self, put):
        transfer = put()
        transfer.pk = None
        with pytest.raises(IntegrityError), transaction.atomic():
            transfer.save(force_insert=True)


class TestCancelTransfer:
    def test_gives_up_a_file_that_waits(self, dd1, put, alice, link):
        transfer = put()
        services.cancel_transfer(transfer_id=transfer.pk, actor=alice, at=AT)
        transfer.refresh_from_db()
        assert (transfer.state, transfer.condition) == ("CANCELLED", "by alice")
        assert AuditEntry.objects.filter(
            action="transfer.cancelled", actor="operator:alice"
        ).exists()
        link.exchange(TransferRuntime(dd1, AT))
        assert link.up == []

    def test_refuses_one_that_is_on_its_way(self, dd1, put, alice):
        transfer = put()
        TransferRuntime(dd1, AT).next_packets(AT, 1000)
        with pytest.raises(services.TransferRefusedError, match="is ACTIVE; only one that is"):
            services.cancel_transfer(transfer_id=transfer.pk, actor=alice, at=AT)

    def test_refuses_somebody_without_the_role(self, put):
        member = factories.operator("member", Role.PAYLOAD_MEMBER)
        with pytest.raises(NotPermittedError, match=r"transfer\.cancel"):
            services.cancel_transfer(transfer_id=put().pk, actor=member, at=AT)

    def test_raises_on_an_unknown_transfer(self, alice):
        with pytest.raises(Transfer.DoesNotExist):
            services.cancel_transfer(transfer_id=404, actor=alice, at=AT)


def test_what_is_over_stays_as_it_is(put):
    transfer = put()
    with transaction.atomic():
        services.end(transfer, Transfer.State.FAILED, condition="no", actor="process:x", at=AT)
        services.end(transfer, Transfer.State.COMPLETED, condition="", actor="process:x", at=AT)
    transfer.refresh_from_db()
    assert (transfer.state, transfer.condition) == ("FAILED", "no")
    assert AuditEntry.objects.count() == 2


class TestStorage:
    @pytest.mark.parametrize("name", ["../outside", "down/../../outside", "/etc/passwd", ".."])
    def test_refuses_a_name_that_leads_out(self, name):
        with pytest.raises(ValueError, match="leads out of"):
            storage.path_of(name)

    def test_writes_segments_in_any_order(self):
        storage.write_segments("down/1", [(4, b"efg"), (0, b"ab")])
        storage.write_segments("down/1", [(2, b"cd")])
        assert storage.read("down/1") == b"abcdefg"
        assert storage.read("down/1", 2, 3) == b"cde"
        assert storage.sha256_of("down/1") == hashlib.sha256(b"abcdefg").hexdigest()

    def test_replaces_a_whole_file_at_once(self, settings):
        storage.store("up/1", b"old")
        storage.store("up/1", b"new")
        assert storage.read("up/1") == b"new"
        assert [path.name for path in (settings.FILES_DIR / "up").iterdir()] == ["1"]

    def test_knows_the_digest_of_nothing(self):
        assert storage.sha256_of("down/none") == hashlib.sha256(b"").hexdigest()
        storage.remove("down/none")
