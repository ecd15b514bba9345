from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from missioncontrol.audit.folder_verification import stored_entries, verify_folder
from missioncontrol.audit.merkle.errors import LogMismatchError, VerificationError
from missioncontrol.audit.merkle.hashing import leaf_hash
from tests.unit.missioncontrol.audit.filled_folder import KEY, entry, filled_folder

SIZE = 600


@pytest.fixture(scope="module")
def log(tmp_path_factory):
    return filled_folder(tmp_path_factory.mktemp("whole") / "log", size=SIZE)


@pytest.fixture(scope="module")
def files(log):
    return sorted(file for file in log.path.rglob("*") if file.is_file() and "tile" in file.parts)


@pytest.mark.parametrize("size", [0, 1, 2, 255, 256, 257, 512, 600])
def test_accepts_a_whole_log(tmp_path, size):
    folder = filled_folder(tmp_path / "log", size=size)
    found = verify_folder(folder, key=KEY.verifier)
    assert found.checkpoint.size == size
    assert found.bundles == -(-size // 256)
    assert list(stored_entries(folder, size=size)) == [
        (entry(number), leaf_hash(entry(number))) for number in range(size)
    ]


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_refuses_one_changed_octet_anywhere_in_tiles_and_bundles(log, files, data):
    file = data.draw(st.sampled_from(files))
    whole = file.read_bytes()
    at = data.draw(st.integers(0, len(whole) - 1))
    flipped = data.draw(st.integers(1, 255))
    file.write_bytes(whole[:at] + bytes([whole[at] ^ flipped]) + whole[at + 1 :])
    try:
        with pytest.raises(LogMismatchError) as refused:
            verify_folder(log, key=KEY.verifier)
        assert refused.value.index is not None
    finally:
        file.write_bytes(whole)


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_refuses_one_changed_octet_anywhere_in_the_checkpoint(log, data):
    file = log.path / "checkpoint"
    whole = file.read_bytes()
    at = data.draw(st.integers(0, len(whole) - 1))
    flipped = data.draw(st.integers(1, 255))
    file.write_bytes(whole[:at] + bytes([whole[at] ^ flipped]) + whole[at + 1 :])
    try:
        with pytest.raises(VerificationError):
            verify_folder(log, key=KEY.verifier)
    finally:
        file.write_bytes(whole)


def test_refuses_a_folder_that_lacks_any_of_its_files(log, files):
    for file in files:
        whole = file.read_bytes()
        file.unlink()
        with pytest.raises(VerificationError, match="is missing from"):
            verify_folder(log, key=KEY.verifier)
        file.write_bytes(whole)
    verify_folder(log, key=KEY.verifier)
