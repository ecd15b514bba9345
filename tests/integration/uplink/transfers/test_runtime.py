from __future__ import annotations

import hashlib
import random
from datetime import timedelta

import pytest
from django.db import OperationalError

from missioncontrol.audit.models import AuditEntry
from telemetry.services import TelemetryReception
from tests.integration.telemetry.craft import AT, power, received
from tests.integration.uplink.transfers.space import APID_UP, STEP, Link, Onboard
from uplink.cfdp.codes import ConditionCode
from uplink.transfers import selectors, storage
from uplink.transfers.models import DownlinkCursor, Transfer
from uplink.transfers.runtime import TransferRuntime

CONTENT = bytes(range(256)) * 20


def states():
    return dict(Transfer.objects.values_list("direction", "state"))


def is_over():
    return not selectors.open_transfers()


def actions():
    return list(AuditEntry.objects.order_by("pk").values_list("action", flat=True))


class TestUp:
    @pytest.mark.parametrize("content", [b"", b"x", CONTENT])
    def test_delivers_the_file_and_completes_the_row(self, dd1, link, put, content):
        transfer = put(content)
        link.until(TransferRuntime(dd1, AT), is_over)
        assert link.onboard.delivered == [("job-1.in", content)]
        transfer.refresh_from_db()
        assert (transfer.state, transfer.progress_octets) == ("COMPLETED", len(content))
        assert transfer.completed_at is not None
        assert actions() == ["transfer.start", "transfer.completed"]

    def test_repeats_what_the_link_lost(self, dd1, link, put, chance):
        put(CONTENT)
        link.loses = lambda: chance.random() < 0.3
        link.until(TransferRuntime(dd1, AT), is_over, turns=2000)
        assert link.onboard.delivered == [("job-1.in", CONTENT)]

    def test_sends_telecommand_packets_whose_counts_never_repeat(self, dd1, link, put):
        put(CONTENT)
        link.until(TransferRuntime(dd1, AT), is_over)
        put(CONTENT, "job-2.in")
        link.until(TransferRuntime(dd1, link.at), is_over)
        assert {(one.apid, one.packet_type) for one in link.up} == {(APID_UP, 1)}
        counts = [one.sequence_count for one in link.up]
        assert len(set(counts)) == len(counts) > 100

    def test_keeps_to_the_room_on_the_link(self, dd1, put):
        put(CONTENT)
        runtime = TransferRuntime(dd1, AT)
        packets = runtime.next_packets(AT, 2000)
        assert 0 < sum(map(len, packets)) <= 2400
        assert len(runtime.next_packets(AT, 1)) == 1  # a small room never stops a file

    def test_takes_up_a_file_that_is_queued_during_the_pass(self, dd1, link, put):
        runtime = TransferRuntime(dd1, AT)
        link.exchange(runtime)
        put()
        link.until(runtime, is_over)
        assert link.onboard.delivered == [("job-1.in", b"input")]

    def test_fails_when_the_spacecraft_refuses_the_file(self, dd1, put):
        transfer = put(CONTENT)
        link = Link(dd1, Onboard(dd1, largest_file_octets=100))
        link.until(TransferRuntime(dd1, AT), is_over)
        transfer.refresh_from_db()
        assert (transfer.state, transfer.condition) == ("FAILED", "filestore rejection")
        assert actions()[-1] == "transfer.failed"

    def test_gives_up_a_file_that_was_lost_on_our_disk_and_goes_on_with_the_next(
        self, dd1, link, put
    ):
        lost = put(CONTENT)
        put(b"second", "job-2.in")
        storage.remove(lost.stored_name)
        link.until(TransferRuntime(dd1, AT), is_over)
        lost.refresh_from_db()
        assert lost.state == "FAILED"
        assert link.onboard.delivered == [("job-2.in", b"second")]


class TestDown:
    @pytest.mark.parametrize("content", [b"", b"x", CONTENT])
    def test_stores_the_file_under_a_name_of_ours(self, dd1, link, settings, content):
        link.onboard.send_file("job-1.out", content, AT)
        runtime = TransferRuntime(dd1, AT)
        link.until(runtime, lambda: states().get("DOWN") == "COMPLETED")
        transfer = selectors.arrived_file(dd1, "job-1.out", since=AT)
        assert selectors.content_of(transfer) == content
        assert transfer.sha256 == hashlib.sha256(content).hexdigest()
        assert transfer.size_octets == transfer.progress_octets == len(content)
        assert actions() == ["transfer.completed"]

    @pytest.mark.parametrize(
        "name", ["../../escaped", "/tmp/escaped", "..", "a/../../b", "\u202egnp.exe", "x" * 255]
    )
    def test_never_takes_a_name_from_the_sky_for_a_path(self, dd1, link, settings, name):
        link.onboard.send_file(name, b"harmless", AT)
        runtime = TransferRuntime(dd1, AT)
        link.until(runtime, lambda: states().get("DOWN") == "COMPLETED")
        [stored] = [path for path in settings.FILES_DIR.rglob("*") if path.is_file()]
        assert stored.parent == settings.FILES_DIR / "down"
        assert selectors.arrived_file(dd1, name, since=AT).file_name == name
        outside = {path.name for path in settings.FILES_DIR.parent.iterdir()}
        assert outside <= {"archive", "files", "log"}

    def test_asks_for_what_the_link_lost(self, dd1, link, chance):
        link.onboard.send_file("job-1.out", CONTENT, AT)
        link.loses = lambda: chance.random() < 0.3
        link.until(
            TransferRuntime(dd1, AT), lambda: states().get("DOWN") == "COMPLETED", turns=2000
        )
        transfer = selectors.arrived_file(dd1, "job-1.out", since=AT)
        assert selectors.content_of(transfer) == CONTENT

    def test_shows_a_file_while_it_comes(self, dd1, link):
        link.onboard.send_file("job-1.out", CONTENT * 10, AT)
        runtime = TransferRuntime(dd1, AT)
        link.exchange(runtime)
        coming = selectors.file_coming_down(dd1, "job-1.out")
        assert 0 < coming.progress_octets < coming.size_octets == len(CONTENT) * 10
        assert selectors.arrived_file(dd1, "job-1.out", since=AT) is None

    def test_removes_what_came_of_a_file_that_the_spacecraft_cancelled(
        self, dd1, link, settings, django_capture_on_commit_callbacks
    ):
        source = link.onboard.send_file("job-1.out", CONTENT * 10, AT)
        runtime = TransferRuntime(dd1, AT)
        link.exchange(runtime)
        link.onboard.entity.cancel(
            source.transaction_id, link.at, ConditionCode.CANCEL_REQUEST_RECEIVED
        )
        with django_capture_on_commit_callbacks(execute=True):
            link.until(runtime, is_over)
        transfer = Transfer.objects.get()
        assert (transfer.state, transfer.condition) == ("FAILED", "cancel request received")
        assert not storage.path_of(transfer.stored_name).exists()

    def test_refuses_a_file_whose_octets_were_lost_on_our_disk(self, dd1, link):
        link.onboard.send_file("job-1.out", CONTENT, AT)
        link.exchange(TransferRuntime(dd1, AT))
        transfer = Transfer.objects.get()
        assert 0 < transfer.progress_octets < len(CONTENT)
        storage.remove(transfer.stored_name)
        link.until(TransferRuntime(dd1, link.at), is_over)
        transfer.refresh_from_db()
        assert (transfer.state, transfer.condition) == ("FAILED", "file checksum failure")

    def test_passes_over_noise_in_the_files_channel(self, dd1, link):
        link.downlink([b"\xff" * 30, b"\0", b"\x24\0\0" + b"\x07" * 20])
        link.onboard.send_file("job-1.out", b"result", AT)
        link.until(TransferRuntime(dd1, AT), lambda: states().get("DOWN") == "COMPLETED")

    def test_reads_on_past_telemetry_that_holds_no_files(self, dd1, link):
        runtime = TransferRuntime(dd1, AT)
        with TelemetryReception(dd1) as reception:
            for second in range(20):
                reception.receive_packets(received(power(second)))
        assert runtime.receive(AT) == 0
        runtime.next_packets(AT, 1000)
        assert DownlinkCursor.objects.get().position > 0

    def test_a_number_that_ended_long_ago_overwrites_nothing(self, dd1, link, caplog):
        link.onboard.send_file("job-1.out", CONTENT, AT, number=5)
        link.until(TransferRuntime(dd1, AT), lambda: states().get("DOWN") == "COMPLETED")
        Transfer.objects.update(entity_state={})  # its retention is over
        again = Link(dd1, Onboard(dd1))
        again.at = link.at
        again.onboard.send_file("job-2.out", b"other octets", link.at, number=5)
        runtime = TransferRuntime(dd1, link.at)
        for _ in range(10):
            again.exchange(runtime)
        transfer = Transfer.objects.get()
        assert (transfer.file_name, selectors.content_of(transfer)) == ("job-1.out", CONTENT)
        assert "which ended long ago: not taken" in caplog.text


class TestContacts:
    """A transfer that takes several passes, with processes that are killed in between."""

    def test_suspends_at_los_and_goes_on_with_a_new_runtime(self, dd1, link, put):
        put(CONTENT)
        link.onboard.send_file("job-9.out", CONTENT, AT)
        runtime = TransferRuntime(dd1, AT)
        for _ in range(4):
            link.exchange(runtime, max_octets=500)
        runtime.suspend(link.at)
        assert set(states().values()) == {"SUSPENDED"}
        assert runtime.next_packets(link.at, 4000) == []
        sent = len(link.up)
        link.at += timedelta(hours=5)
        runtime = TransferRuntime(dd1, link.at)
        assert set(states().values()) == {"ACTIVE"}
        link.until(runtime, is_over)
        assert link.onboard.delivered == [("job-1.in", CONTENT)]
        down = selectors.arrived_file(dd1, "job-9.out", since=AT)
        assert selectors.content_of(down) == CONTENT
        # It went on; it did not start over.
        assert len(link.up) - sent < len(CONTENT) // 100

    @pytest.mark.parametrize("seed", range(4))
    def test_survives_a_kill_at_any_point(self, dd1, link, put, seed):
        """The runtime is dropped as it is: no goodbye, rows only; packets in hand are lost."""
        chance = random.Random(seed)
        put(CONTENT)
        put(CONTENT[::-1], "job-2.in")
        link.onboard.send_file("job-9.out", CONTENT, AT)
        link.loses = lambda: chance.random() < 0.1
        runtime = TransferRuntime(dd1, AT)

        def perhaps_killed(runtime):
            return TransferRuntime(dd1, link.at) if chance.random() < 0.15 else runtime

        for _ in range(2000):
            link.downlink(link.onboard.pull(link.at))
            runtime = perhaps_killed(runtime)
            runtime.receive(link.at)
            runtime = perhaps_killed(runtime)
            packets = runtime.next_packets(link.at, 2000)
            following = perhaps_killed(runtime)
            if following is runtime:
                link.uplink(packets)
            runtime = following
            link.at += STEP
            if Transfer.objects.count() == 3 and is_over():
                break
        assert sorted(link.onboard.delivered) == sorted(
            [("job-1.in", CONTENT), ("job-2.in", CONTENT[::-1])]
        )
        down = selectors.arrived_file(dd1, "job-9.out", since=AT)
        assert selectors.content_of(down) == CONTENT
        assert actions().count("transfer.completed") == 3
        counts = [one.sequence_count for one in link.up]
        assert len(set(counts)) == len(counts)

    @pytest.mark.django_db(transaction=True)
    def test_survives_a_database_that_fails_at_any_commit(
        self, dd1, link, put, chance, monkeypatch
    ):
        """The runtime lives on, with one call in four failing at its commit."""
        put(CONTENT)
        link.onboard.send_file("job-9.out", CONTENT, AT)
        runtime = TransferRuntime(dd1, AT)
        queryset = type(DownlinkCursor.objects.all())
        update = queryset.update

        def fails_at_the_cursor(self, **changes):
            if self.model is DownlinkCursor and chance.random() < 0.25:
                raise OperationalError("database is locked")
            return update(self, **changes)

        monkeypatch.setattr(queryset, "update", fails_at_the_cursor)
        failures = 0
        for _ in range(1500):
            try:
                link.exchange(runtime)
            except OperationalError:
                failures += 1
                link.at += timedelta(seconds=1)
            if Transfer.objects.count() == 2 and is_over():
                break
        assert failures > 3
        assert link.onboard.delivered == [("job-1.in", CONTENT)]
        down = selectors.arrived_file(dd1, "job-9.out", since=AT)
        assert selectors.content_of(down) == CONTENT
        assert actions().count("transfer.completed") == 2

    def test_takes_up_a_file_that_a_killed_process_had_only_marked(self, dd1, link, put):
        transfer = put(CONTENT)
        Transfer.objects.filter(pk=transfer.pk).update(state="ACTIVE")
        link.until(TransferRuntime(dd1, AT), is_over)
        assert link.onboard.delivered == [("job-1.in", CONTENT)]

    def test_goes_on_from_a_snapshot_older_than_what_was_sent(self, dd1, link, put):
        transfer = put(CONTENT)
        link.exchange(TransferRuntime(dd1, AT), max_octets=500)
        transfer.refresh_from_db()
        stale = transfer.entity_state
        link.until(TransferRuntime(dd1, link.at), is_over)
        Transfer.objects.filter(pk=transfer.pk).update(entity_state=stale, state="ACTIVE")
        link.until(TransferRuntime(dd1, link.at), is_over)
        assert link.onboard.delivered == [("job-1.in", CONTENT)]  # once

    def test_ends_a_transfer_whose_snapshot_cannot_be_read(self, dd1, link, put):
        broken = put(CONTENT)
        put(b"second", "job-2.in")
        link.exchange(TransferRuntime(dd1, AT), max_octets=100)
        Transfer.objects.filter(pk=broken.pk).update(entity_state={"format": 99})
        link.until(TransferRuntime(dd1, link.at), is_over)
        broken.refresh_from_db()
        assert broken.state == "FAILED"
        assert "its snapshot cannot be read" in broken.condition
        assert ("job-2.in", b"second") in link.onboard.delivered

    def test_forgets_what_ended_long_ago(self, dd1, link, put):
        transfer = put()
        runtime = TransferRuntime(dd1, AT)
        link.until(runtime, is_over)
        link.at += timedelta(days=8)
        link.exchange(runtime)
        transfer.refresh_from_db()
        assert (transfer.entity_state, transfer.state) == ({}, "COMPLETED")
        assert TransferRuntime(dd1, link.at).next_deadline() is None

    def test_shows_a_transfer_as_suspended_that_reached_its_limit_of_tries(self, dd1, put, link):
        put(b"x")
        runtime = TransferRuntime(dd1, AT)
        at = AT
        for _ in range(60):  # nobody answers
            runtime.next_packets(at, 4000)
            at += timedelta(seconds=21)
        assert states() == {"UP": "SUSPENDED"}
        link.at = at
        link.until(TransferRuntime(dd1, at), is_over)
        assert link.onboard.delivered == [("job-1.in", b"x")]
