from __future__ import annotations

import pytest

from missioncontrol.audit.folder_verification import verify_folder
from missioncontrol.audit.log_folder import LogFolder
from missioncontrol.audit.merkle.errors import (
    FreshnessError,
    LogMismatchError,
    SignatureError,
    SplitViewError,
    VerificationError,
)
from missioncontrol.audit.merkle.tiles import EntryBundle, Tile
from missioncontrol.client import mirror
from missioncontrol.client.errors import UnreachableError, UsageError
from missioncontrol.client.log_verification import verify_source
from tests.unit.missioncontrol.client.growing_log import KEY, NEXT, THIRD, GrowingLog, flip


class CountingSource:
    """Counts the files that are read, and breaks off after some."""

    def __init__(self, folder, *, limit=None):
        self.folder = folder
        self.limit = limit
        self.read = []

    def read_checkpoint(self):
        return self.folder.read_checkpoint()

    def read_tile(self, tile):
        return self._counted(tile, self.folder.read_tile)

    def read_bundle(self, bundle):
        return self._counted(bundle, self.folder.read_bundle)

    def read_announcement(self, key):
        return self.folder.read_announcement(key)

    def _counted(self, place, read):
        if self.limit is not None and len(self.read) >= self.limit:
            raise UnreachableError("the line broke")
        self.read.append(place)
        return read(place)


def run(log, copy, *, source=None, key=KEY.verifier):
    return mirror.mirror_log(source or log.folder, copy, key=key, origin=KEY.name)


def snapshot(copy):
    return {
        str(file.relative_to(copy.path)): file.read_bytes()
        for file in copy.path.rglob("*")
        if file.is_file() and file.name != "sequencer.lock"
    }


@pytest.fixture
def copy(tmp_path):
    return LogFolder(tmp_path / "mirror")


@pytest.fixture
def small_batches(monkeypatch):
    monkeypatch.setattr(mirror, "_BUNDLES_AT_ONCE", 2)


@pytest.mark.parametrize(
    "sizes", [(0,), (1,), (256,), (600,), (1, 2, 255, 256, 257, 1500), (0, 700, 700, 1800)]
)
def test_copies_a_log_in_any_steps(log, copy, small_batches, sizes):
    for size in sizes:
        log.grow_to(size)
        assert run(log, copy).checkpoint.size == size
        found = verify_source(copy, head=copy.open_checkpoint(key=KEY.verifier).checkpoint)
        assert found.checkpoint.size == size
    assert copy.read_verifier_key() == KEY.verifier
    full = [file for file in copy.path.rglob("*") if file.is_file() and file.stem.isdigit()]
    assert not [file for file in full if file.with_name(f"{file.name}.p").exists()]
    assert not (copy.path / "incoming").exists()


def test_fetches_only_what_is_new(log, copy):
    run(log.grow_to(600), copy)
    log.grow_to(620)
    source = CountingSource(log.folder)
    done = run(log, copy, source=source)
    assert (done.old_size, done.checkpoint.size) == (600, 620)
    assert source.read == [EntryBundle(2, 108), Tile(0, 2, 108)]
    source = CountingSource(log.folder)
    run(log, copy, source=source)
    assert source.read == []


def test_keeps_its_state_when_the_source_breaks_off_and_ends_the_work_later(
    log, copy, small_batches
):
    run(log.grow_to(600), copy)
    before = snapshot(copy)
    log.grow_to(3000)
    with pytest.raises(UnreachableError):
        run(log, copy, source=CountingSource(log.folder, limit=12))
    assert snapshot(copy) == before
    run(log, copy)
    verify_source(copy, head=log.checkpoints[3000].checkpoint)


@pytest.mark.parametrize("place", ["tile/entries/003", "tile/0/004"])
def test_keeps_nothing_of_a_log_with_a_wrong_entry(log, copy, place):
    run(log.grow_to(600), copy)
    before = snapshot(copy)
    log.grow_to(1500)
    flip(log.path / place, 700)
    with pytest.raises(LogMismatchError, match=r"Entry \d+ was changed"):
        run(log, copy)
    assert snapshot(copy) == before


def test_refuses_a_log_that_was_rolled_back(log, copy):
    run(log.grow_to(600), copy)
    log.folder.publish(log.checkpoints[0])
    with pytest.raises(
        FreshnessError, match=r"Rolled back: .* size 0 .* this mirror kept size 600"
    ):
        run(log, copy)


def test_refuses_a_log_that_forked_in_the_bundle_that_it_has_begun(log, copy, tmp_path):
    run(log.grow_to(520).grow_to(600), copy)
    before = snapshot(copy)
    fork = log.forked(tmp_path / "fork", size=520).grow_to(900, mark="fork")
    with pytest.raises(SplitViewError, match="Entry 520 is another"):
        run(fork, copy)
    assert snapshot(copy) == before


def test_refuses_a_log_that_forked_before_the_entries_that_it_fetches(log, copy, tmp_path):
    run(log.grow_to(600), copy)
    before = snapshot(copy)
    fork = log.forked(tmp_path / "fork", size=100).grow_to(512, mark="fork").grow_to(900)
    with pytest.raises(SplitViewError, match="does not continue the 600 entries kept here"):
        run(fork, copy)
    assert snapshot(copy) == before


def test_refuses_entries_that_the_checkpoint_was_not_signed_for(log, copy, tmp_path):
    """Entries and hashes are whole, the signed root is that of other ones."""
    other = GrowingLog(tmp_path / "other").grow_to(400, mark="other")
    log.grow_to(400).folder.publish(other.checkpoints[400])
    with pytest.raises(LogMismatchError, match="replaced together with their hashes"):
        run(log, copy)
    assert copy.read_checkpoint() is None


def test_never_writes_into_the_log_itself(log):
    log.folder.write_keys(KEY)
    with pytest.raises(UsageError, match="is the log itself"):
        run(log, log.folder)


def test_refuses_a_key_that_did_not_sign(log, copy):
    other = GrowingLog(copy.path.parent / "other", key=KEY).key.verifier
    stranger = type(other)(name=other.name, type=other.type, public_key=b"k" * 32)
    with pytest.raises(SignatureError, match="No trusted key"):
        run(log.grow_to(3), copy, key=stranger)


class TestKeyRotation:
    def test_goes_through_it_and_leads_others_through_it(self, log, copy):
        for step in (
            lambda: log.grow_to(300),
            lambda: log.announce(NEXT),
            lambda: log.grow_to(400),
            lambda: log.retire().grow_to(500),
            lambda: log.announce(THIRD).retire().grow_to(600),
        ):
            step()
            run(log, copy)
            assert verify_folder(copy, key=KEY.verifier).checkpoint.size == len(log.entries)
        assert verify_folder(copy, key=NEXT.verifier).checkpoint.size == 600

    def test_goes_on_for_somebody_who_went_over_to_the_new_key(self, log, copy):
        run(log.grow_to(300), copy)
        log.announce(NEXT).retire().grow_to(500)
        assert run(log, copy, key=NEXT.verifier).old_size == 300
        verify_folder(copy, key=NEXT.verifier)

    def test_refuses_a_new_key_that_left_the_old_one_s_history(self, log, copy, tmp_path):
        run(log.grow_to(200), copy)
        before = snapshot(copy)
        log.grow_to(300).announce(NEXT).retire().grow_to(500)
        fork = log.forked(tmp_path / "fork", size=200)
        fork.key = NEXT
        fork.grow_to(900, mark="fork")
        fork.folder.write_announcement(KEY.verifier, log.folder.read_announcement(KEY.verifier))
        with pytest.raises(SplitViewError, match="announced in a log of size 301"):
            run(fork, copy)
        assert snapshot(copy) == before

    def test_keeps_no_announcement_that_does_not_hold(self, log, copy):
        log.grow_to(300).announce(NEXT).grow_to(400)
        flip(log.path / "keys" / KEY.verifier.key_id.hex(), 300)
        with pytest.raises(VerificationError):
            run(log, copy)
        assert not (copy.path / "keys").exists()
