from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from missioncontrol.audit.log_folder import LogFolder
from missioncontrol.audit.merkle.checkpoint import Checkpoint
from missioncontrol.audit.merkle.errors import (
    FreshnessError,
    LogMismatchError,
    SplitViewError,
)
from missioncontrol.audit.merkle.hashing import leaf_hash
from missioncontrol.audit.merkle.text_fields import write_base64
from missioncontrol.audit.merkle.tiles import EntryBundle, Tile, encode_bundle, encode_tile
from missioncontrol.client.log_source import read_head
from missioncontrol.client.log_verification import refuse_fork, refuse_older, verify_source
from tests.unit.missioncontrol.client.growing_log import KEY, GrowingLog, flip

SIZE = 600


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    return GrowingLog(tmp_path_factory.mktemp("whole") / "log").grow_to(SIZE)


def head_of(log, size=None):
    return log.checkpoints[len(log.entries) if size is None else size].checkpoint


class TestVerifySource:
    @pytest.mark.parametrize("size", [0, 1, 255, 256, 257, 512, 600])
    def test_accepts_a_whole_log(self, tmp_path, size):
        log = GrowingLog(tmp_path / "log").grow_to(size)
        told = []
        found = verify_source(
            log.folder, head=head_of(log), progress=lambda done, total: told.append((done, total))
        )
        assert (found.checkpoint.size, found.bundles) == (size, -(-size // 256))
        assert told == sorted(told)
        assert all(total == size for _, total in told)

    def test_accepts_two_levels_of_tiles_above_the_leaves(self, tmp_path):
        log = GrowingLog(tmp_path / "log").grow_to(65_536 + 300)
        assert verify_source(log.folder, head=head_of(log)).tiles == 258 + 2 + 1

    def test_accepts_an_older_checkpoint_of_a_log_that_has_grown(self, tmp_path):
        log = GrowingLog(tmp_path / "log").grow_to(300).grow_to(700)
        assert verify_source(log.folder, head=head_of(log, 300)).checkpoint.size == 300

    @settings(max_examples=100, deadline=None)
    @given(data=st.data())
    def test_refuses_one_changed_octet_anywhere_in_tiles_and_bundles(self, whole, data):
        files = sorted(file for file in (whole.path / "tile").rglob("*") if file.is_file())
        file = data.draw(st.sampled_from(files))
        before = file.read_bytes()
        flip(file, data.draw(st.integers(0, len(before) - 1)))
        try:
            with pytest.raises(LogMismatchError) as refused:
                verify_source(whole.folder, head=head_of(whole))
            assert refused.value.index is not None
        finally:
            file.write_bytes(before)

    def test_names_the_first_wrong_entry(self, whole, tmp_path):
        folder = LogFolder(whole.copied(tmp_path / "copy"))
        entries = whole.entries[256:512]
        entries[44] = b'{"n":"another"}'
        entries[90] = b'{"n":"a third"}'
        folder.write_places([(EntryBundle(1), encode_bundle(entries))])
        with pytest.raises(LogMismatchError, match="Entry 300 was changed") as refused:
            verify_source(folder, head=head_of(whole))
        assert refused.value.index == 300

    def test_refuses_entries_that_were_replaced_together_with_their_hashes(self, whole, tmp_path):
        folder = LogFolder(whole.copied(tmp_path / "copy"))
        entries = [*whole.entries[256:300], b"{}", *whole.entries[301:512]]
        hashes = [leaf_hash(each) for each in entries]
        folder.write_places(
            [(EntryBundle(1), encode_bundle(entries)), (Tile(0, 1), encode_tile(hashes))]
        )
        with pytest.raises(LogMismatchError, match="at size 600 the root is"):
            verify_source(folder, head=head_of(whole))

    def test_refuses_a_log_that_lacks_any_of_its_files(self, whole, tmp_path):
        copy = whole.copied(tmp_path / "copy")
        for file in sorted(file for file in (copy / "tile").rglob("*") if file.is_file()):
            octets = file.read_bytes()
            file.unlink()
            with pytest.raises(LogMismatchError, match="is missing from"):
                verify_source(LogFolder(copy), head=head_of(whole))
            file.write_bytes(octets)


class TestRefuseFork:
    def test_accepts_a_log_that_grew_or_stayed(self, log):
        log.grow_to(300).grow_to(700)
        for size in (0, 300, 700):
            refuse_fork(
                head_of(log, size), head_of(log), source=log.folder, kept_by="this computer"
            )

    def test_names_both_sizes_and_roots_of_a_log_that_was_rolled_back(self, log):
        kept, head = head_of(log.grow_to(700)), head_of(log, 0)
        with pytest.raises(FreshnessError, match="Rolled back") as refused:
            refuse_older(kept, head, kept_by="this computer")
        for part in ("size 700", "size 0", write_base64(kept.root), write_base64(head.root)):
            assert part in str(refused.value)

    def test_refuses_another_root_at_the_same_size(self, log):
        kept = head_of(log.grow_to(5))
        head = Checkpoint(origin=KEY.name, size=5, root=b"x" * 32)
        with pytest.raises(SplitViewError, match="Forked"):
            refuse_older(kept, head, kept_by="this computer")

    def test_names_both_sizes_and_roots_of_a_log_that_forked(self, log, tmp_path):
        kept = head_of(log.grow_to(200).grow_to(300))
        fork = log.forked(tmp_path / "fork", size=200).grow_to(700, mark="fork")
        head = read_head(fork.folder, key=KEY.verifier, origin=KEY.name).checkpoint
        verify_source(fork.folder, head=head)  # nothing is wrong with it alone
        with pytest.raises(SplitViewError, match="Forked") as refused:
            refuse_fork(kept, head, source=fork.folder, kept_by="this computer")
        for part in ("size 300", "size 700", write_base64(kept.root), write_base64(head.root)):
            assert part in str(refused.value)

    def test_is_not_fooled_by_a_source_that_shows_the_old_tiles_when_asked_again(
        self, log, tmp_path
    ):
        kept = head_of(log.grow_to(300))
        fork = log.forked(tmp_path / "fork", size=200).grow_to(700, mark="fork")
        log.grow_to(700)  # the honest history's tiles
        with pytest.raises(SplitViewError, match="Forked"):
            refuse_fork(kept, head_of(fork), source=log.folder, kept_by="this computer")
