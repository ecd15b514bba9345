"""``mc log`` against a real server: what members do every day, and what must be refused."""

from __future__ import annotations

import random
import re

import pytest

from missioncontrol.audit.merkle.tiles import EntryBundle, encode_bundle
from tests.unit.missioncontrol.client.growing_log import KEY, VKEY, flip

pytestmark = pytest.mark.once


@pytest.fixture
def verify(run, server):
    return lambda *more: run("log", "verify", server.address, "--vkey", VKEY, *more)


@pytest.fixture
def mirror(run, server, tmp_path):
    return lambda: run("log", "mirror", server.address, tmp_path / "usb", "--vkey", VKEY)


def test_verifies_a_log_and_its_growth_reading_each_file_once(log, server, verify):
    log.grow_to(700)
    assert verify()[0] == 0
    assert len(server.asked) == len(set(server.asked)) == 1 + 3 + 3 + 1
    log.grow_to(1500)
    status, output, _ = verify()
    assert (status, "continues size 700 of this computer" in output) == (0, True)


@pytest.mark.parametrize(
    ("file", "says"),
    [
        ("tile/entries/001", "Entries 256 to 511 cannot be read|Entry [0-9]+ was changed"),
        ("tile/0/001", "Entry [0-9]+ was changed"),
        ("tile/1/000.p/2", "has the hash"),
        ("checkpoint", "REFUSED"),
    ],
)
def test_refuses_tampering_at_random_places(log, verify, file, says):
    log.grow_to(700)
    random_places = random.Random(20261201)
    path = log.path / file
    whole = path.read_bytes()
    for _ in range(10):
        flip(path, random_places.randrange(len(whole)))
        status, _, errors = verify()
        assert status == 1
        assert re.search(says, errors)
        path.write_bytes(whole)
    assert verify()[0] == 0


def test_names_the_first_wrong_entry(log, verify):
    log.grow_to(700)
    entries = [*log.entries[256:300], b"{}", *log.entries[301:512]]
    log.folder.write_places([(EntryBundle(1), encode_bundle(entries))])
    assert "Entry 300 was changed" in verify()[2]


def test_refuses_a_roll_back_and_a_fork(log, server, verify, run, tmp_path):
    log.grow_to(300).grow_to(700)
    assert verify()[0] == 0
    log.folder.publish(log.checkpoints[300])
    status, _, errors = verify()
    assert (status, "Rolled back" in errors) == (1, True)
    fork = log.forked(tmp_path / "fork", size=300).grow_to(900, mark="fork")
    log.path.rename(tmp_path / "hidden")
    fork.path.rename(log.path)
    status, _, errors = verify()
    assert (status, "Forked: the log now shows size 900" in errors) == (1, True)


def test_decides_nothing_without_a_server(server, verify):
    server.shutdown()
    server.server_close()
    status, output, errors = verify()
    assert (status, output) == (2, "")
    assert "cannot be read" in errors


def test_mirrors_fetching_only_what_is_new(log, server, mirror, run, tmp_path):
    log.grow_to(600)
    assert mirror()[0] == 0
    server.asked.clear()
    log.grow_to(620)
    status, output, _ = mirror()
    assert (status, "20 new entries" in output) == (0, True)
    assert server.asked == [
        "/checkpoint",
        "/tile/entries/002.p/108",
        "/tile/0/002.p/108",
        f"/keys/{KEY.verifier.key_id.hex()}",  # has it announced a successor?
    ]
    offline = run("log", "verify", tmp_path / "usb", "--vkey", VKEY)
    assert offline[0] == 0


def test_verifies_from_a_mirror_that_is_served_on(log, server, mirror, run, tmp_path):
    log.grow_to(600)
    mirror()
    assert run("log", "mirror", tmp_path / "usb", tmp_path / "second", "--vkey", VKEY)[0] == 0
    assert run("log", "verify", tmp_path / "second", "--vkey", VKEY)[0] == 0


def test_mirrors_nothing_wrong(log, server, mirror, run, tmp_path):
    log.grow_to(600)
    mirror()
    log.grow_to(1500)
    flip(log.path / "tile/entries/004", 900)
    status, _, errors = mirror()
    assert (status, "REFUSED" in errors) == (1, True)
    assert "600 entries" in run("log", "verify", tmp_path / "usb", "--vkey", VKEY)[1]


class TestToken:
    @pytest.fixture
    def guarded(self, log, server):
        log.grow_to(300)
        server.token = "mc_0a1b_secret"
        return server

    @pytest.fixture
    def file(self, tmp_path, guarded):
        path = tmp_path / "token"
        path.write_text(f"{guarded.token}\n")
        path.chmod(0o600)
        return path

    def test_is_read_from_a_file_or_from_the_environment(
        self, guarded, file, verify, run, tmp_path, monkeypatch
    ):
        assert verify()[0] == 2
        assert verify("--token-file", file)[0] == 0
        monkeypatch.setenv("MC_TOKEN", guarded.token)
        assert verify()[0] == 0
        usb = tmp_path / "usb"
        assert run("log", "mirror", guarded.address, usb, "--vkey", VKEY)[0] == 0

    def test_in_a_file_that_others_can_read_is_not_used(self, file, verify):
        file.chmod(0o640)
        status, _, errors = verify("--token-file", file)
        assert (status, f"chmod 600 {file}" in errors) == (2, True)

    @pytest.mark.parametrize("text", ["", "two words", "mc_\u00e9", "line\nline"])
    def test_that_is_none_is_refused_and_not_shown(self, file, verify, text):
        file.write_text(text)
        status, _, errors = verify("--token-file", file)
        assert (status, "holds no token" in errors) == (2, True)
        assert not text or text not in errors
