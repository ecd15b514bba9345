from __future__ import annotations

import os

import pytest

from missioncontrol.client.durable_files import SECRET, make_folder, write_file


@pytest.mark.parametrize(("options", "mode"), [({}, 0o644), ({"mode": SECRET}, 0o600)])
def test_writes_a_file_with_its_rights(tmp_path, options, mode):
    file = tmp_path / "file"
    file.write_bytes(b"longer than what follows")
    write_file(file, b"new", **options)
    assert file.read_bytes() == b"new"
    assert file.stat().st_mode & 0o777 == mode
    assert os.listdir(tmp_path) == ["file"]


def test_keeps_the_old_file_where_the_new_one_cannot_be_flushed(tmp_path, monkeypatch):
    def fail(_descriptor):
        raise OSError(5, "Input/output error")

    file = tmp_path / "file"
    write_file(file, b"old")
    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OSError, match="Input/output"):
        write_file(file, b"new")
    assert file.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["file"]


def test_flushes_the_octets_before_the_name_and_the_name_before_it_returns(tmp_path, monkeypatch):
    steps = []
    for name in ("fsync", "replace"):
        original = getattr(os, name)
        monkeypatch.setattr(
            os,
            name,
            lambda *arguments, name=name, original=original: (
                steps.append(name),
                original(*arguments),
            ),
        )
    write_file(tmp_path / "file", b"octets")
    assert steps == ["fsync", "replace", "fsync"]


def test_makes_folders_above_and_again(tmp_path):
    for _ in range(2):
        make_folder(tmp_path / "a" / "b")
    assert (tmp_path / "a" / "b").is_dir()
