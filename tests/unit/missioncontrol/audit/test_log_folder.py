from __future__ import annotations

import os
import stat
import threading

import pytest

from missioncontrol.audit.log_folder import LogFolder, MissingFileError
from missioncontrol.audit.merkle.errors import FormatError, OriginError, SignatureError
from missioncontrol.audit.merkle.keys import KeyType, SigningKey
from missioncontrol.audit.merkle.tiles import EntryBundle, Tile, parse_bundle
from tests.unit.missioncontrol.audit.filled_folder import KEY, entry, filled_folder


@pytest.fixture
def folder(tmp_path):
    return LogFolder(tmp_path / "deep" / "log")


class TestKeys:
    def test_are_none_in_a_new_folder(self, folder):
        assert folder.read_signing_key() is None
        assert folder.read_verifier_key() is None
        assert folder.read_checkpoint() is None

    def test_are_read_back_and_the_private_one_is_its_owners_alone(self, folder):
        with folder.locked():
            folder.write_keys(KEY)
        assert folder.read_signing_key() == KEY
        assert folder.read_verifier_key() == KEY.verifier
        modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in folder.path.iterdir()}
        assert modes["signing-key"] == 0o600
        assert modes["verifier-key"] & 0o444 == 0o444 & ~current_umask()

    def test_stay_secret_when_they_are_damaged(self, folder):
        with folder.locked():
            folder.write_keys(KEY)
        file = folder.path / "signing-key"
        file.write_text(file.read_text().replace("+", " "))
        with pytest.raises(FormatError) as refused:
            folder.read_signing_key()
        assert KEY.to_skey().rsplit("+", 1)[1] not in str(refused.value)


class TestCheckpoint:
    def test_is_opened_with_the_logs_key_only(self, tmp_path):
        folder = filled_folder(tmp_path / "log", size=3)
        assert folder.open_checkpoint(key=KEY.verifier).checkpoint.size == 3
        other = SigningKey(name=KEY.name, type=KeyType.ED25519, seed=b"x" * 32)
        with pytest.raises(SignatureError, match="No trusted key signed"):
            folder.open_checkpoint(key=other.verifier)
        renamed = SigningKey(name="other.example/log", type=KeyType.ED25519, seed=KEY.seed)
        with pytest.raises((SignatureError, OriginError)):
            folder.open_checkpoint(key=renamed.verifier)

    def test_that_is_missing_says_where(self, folder):
        with pytest.raises(MissingFileError, match=r"no checkpoint in .*deep/log"):
            folder.open_checkpoint(key=KEY.verifier)


class TestPlaces:
    def test_are_read_back(self, folder):
        places = [(Tile(0, 1234067, 2), b"t" * 64), (EntryBundle(1, 1), b"\0\1x")]
        folder.write_places(places)
        assert folder.read_tile(places[0][0]) == b"t" * 64
        assert folder.read_bundle(places[1][0]) == b"\0\1x"
        assert (folder.path / "tile/0/x001/x234/067.p/2").is_file()
        assert not list(folder.path.rglob("*.tmp"))

    def test_partial_ones_are_cut_from_full_ones(self, tmp_path):
        folder = filled_folder(tmp_path / "log", size=256)
        full = folder.read_tile(Tile(0, 0))
        assert folder.read_tile(Tile(0, 0, 3)) == full[: 3 * 32]
        bundle = EntryBundle(0, 3)
        assert parse_bundle(folder.read_bundle(bundle), bundle=bundle) == [
            entry(number) for number in range(3)
        ]

    def test_that_are_missing_are_named(self, tmp_path):
        folder = filled_folder(tmp_path / "log", size=3)
        for read, place in [
            (folder.read_tile, Tile(0, 0)),
            (folder.read_tile, Tile(0, 0, 4)),
            (folder.read_tile, Tile(1, 0, 1)),
            (folder.read_bundle, EntryBundle(1, 7)),
        ]:
            with pytest.raises(MissingFileError, match=place.path):
                read(place)

    def test_lose_their_narrower_versions_only_once_they_are_full(self, folder):
        folder.write_places(
            (Tile(0, index, width), bytes(32 * width)) for index in (0, 1) for width in (1, 2, 256)
        )
        folder.drop_partials([Tile(0, 0), Tile(0, 1, 2), Tile(0, 7)])
        left = sorted(str(file.relative_to(folder.path)) for file in folder.path.rglob("00*"))
        assert left == ["tile/0/000", "tile/0/001", "tile/0/001.p"]

    def test_are_replaced_whole_after_a_write_that_was_cut_off(self, folder):
        folder.write_places([(Tile(0, 0, 1), b"a" * 32)])
        (folder.path / "tile/0/000.p/1.tmp").write_bytes(b"half")
        folder.write_places([(Tile(0, 0, 1), b"b" * 32)])
        assert folder.read_tile(Tile(0, 0, 1)) == b"b" * 32

    def test_reach_the_disk_before_their_names(self, folder, monkeypatch):
        done = []
        fsync, replace = os.fsync, os.replace
        monkeypatch.setattr(os, "fsync", lambda fd: (done.append(kind(fd)), fsync(fd)))
        monkeypatch.setattr(os, "replace", lambda a, b: (done.append("named"), replace(a, b)))
        folder.write_places([(Tile(0, 0, 1), b"a" * 32), (Tile(0, 0, 2), b"a" * 64)])
        made = done.index("file")
        assert set(done[:made]) == {"folder"}
        assert done[made:] == ["file", "named", "file", "named", "folder"]


class TestLock:
    def test_lets_one_in_at_a_time(self, folder):
        inside, order = threading.Event(), []

        def second():
            inside.wait()
            with folder.locked():
                order.append("second")

        thread = threading.Thread(target=second)
        thread.start()
        with folder.locked():
            inside.set()
            thread.join(timeout=0.2)
            order.append("first")
        thread.join()
        assert order == ["first", "second"]


def kind(descriptor):
    return "folder" if stat.S_ISDIR(os.fstat(descriptor).st_mode) else "file"


def current_umask():
    umask = os.umask(0)
    os.umask(umask)
    return umask
