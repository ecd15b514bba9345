from __future__ import annotations

from pathlib import Path

import pytest

from missioncontrol.audit.merkle.errors import SignatureError
from missioncontrol.client.kept_checkpoints import KeptCheckpoint, data_folder
from tests.unit.missioncontrol.client.growing_log import KEY, NEXT, flip


@pytest.fixture
def kept(tmp_path):
    return KeptCheckpoint(tmp_path, key=KEY.verifier, origin=KEY.name)


def test_remembers_the_last_checkpoint(kept, log):
    assert kept.read() is None
    for size in (5, 9):
        kept.keep(log.grow_to(size).head(size))
        assert kept.read() == log.checkpoints[size]


def test_keeps_logs_apart(kept, log, tmp_path):
    kept.keep(log.grow_to(5).head(5))
    assert KeptCheckpoint(tmp_path, key=KEY.verifier, origin="log.example/else").read() is None


def test_refuses_a_memory_that_was_changed(kept, log):
    kept.keep(log.grow_to(5).head(5))
    flip(kept.folder / "checkpoint", 20)
    with pytest.raises(SignatureError):
        kept.read()


def test_remembers_which_keys_it_was_led_to(log, tmp_path):
    log.grow_to(5).announce(NEXT).retire().grow_to(9)
    head = log.folder.open_head(key=KEY.verifier)
    assert list(head.keys) == [KEY.verifier, NEXT.verifier]
    for key in head.keys:
        KeptCheckpoint(tmp_path, key=key, origin=KEY.name).keep(head)
        assert KeptCheckpoint(tmp_path, key=key, origin=KEY.name).read() == head.signed


def test_keeps_each_piece_of_evidence(kept, log):
    log.grow_to(5).grow_to(9)
    files = {kept.keep_evidence(log.checkpoints[size]) for size in (5, 9, 5)}
    assert len(files) == 2
    assert kept.read() is None


def test_lies_where_users_keep_data(monkeypatch):
    monkeypatch.setenv("XDG_DATA_HOME", "/data")
    assert data_folder() == Path("/data/missioncontrol")
    monkeypatch.delenv("XDG_DATA_HOME")
    assert data_folder() == Path.home() / ".local/share/missioncontrol"
