"""Another implementation, of another language and other authors, comes to the same verdicts."""

from __future__ import annotations

import random
import shutil

import pytest

from missioncontrol.audit.merkle.hashing import leaf_hash
from missioncontrol.audit.merkle.tiles import EntryBundle, Tile, encode_bundle, encode_tile
from tests.integration.missioncontrol.client import go_verifier
from tests.unit.missioncontrol.client.growing_log import KEY, NEXT, VKEY, GrowingLog, flip

pytestmark = [
    pytest.mark.once,
    pytest.mark.skipif(go_verifier.why_not() is not None, reason=str(go_verifier.why_not())),
]


@pytest.fixture(scope="module")
def program(tmp_path_factory):
    return go_verifier.build(tmp_path_factory.mktemp("go"))


@pytest.fixture
def verdicts(program, run, tmp_path):
    """Return a function that gives the statuses of both verifiers and their errors."""

    def found(source, vkey=VKEY):
        go = go_verifier.verify(program, source, vkey=vkey)
        state = tmp_path / "state"
        mc = run("log", "verify", source, "--vkey", vkey, "--state", state)
        shutil.rmtree(state, ignore_errors=True)
        return (go[0], mc[0]), go[2], mc[2]

    return found


@pytest.mark.parametrize("size", [0, 1, 2, 255, 256, 257, 600, 66_000])
def test_accepts_logs_of_all_shapes(log, verdicts, size):
    assert verdicts(log.grow_to(size).path) == ((0, 0), "", "")


def test_proves_any_entry_of_a_served_log(log, server, program):
    log.grow_to(100).grow_to(700)
    for index in (0, 255, 256, 699):
        status, output, _ = go_verifier.verify(program, server.address, vkey=VKEY, index=index)
        assert status == 0
        assert f"entry {index} included" in output
    assert go_verifier.verify(program, server.address, vkey=VKEY, index=700)[0] == 2


def test_reads_a_checkpoint_that_is_older_than_the_tiles(log, server, verdicts):
    log.grow_to(300).grow_to(700)
    log.folder.publish(log.checkpoints[300])
    assert verdicts(log.path)[0] == (0, 0)
    assert verdicts(server.address)[0] == (0, 0)


@pytest.mark.parametrize(
    "file",
    ["checkpoint", "tile/entries/001", "tile/entries/002.p/188", "tile/0/000", "tile/1/000.p/2"],
)
def test_refuses_one_changed_octet(log, verdicts, file):
    path = log.grow_to(700).path / file
    whole = path.read_bytes()
    places = random.Random(20261202)
    for _ in range(5):
        flip(path, places.randrange(len(whole)))
        assert verdicts(log.path)[0] == (1, 1)
        path.write_bytes(whole)


def test_refuses_missing_files(log, verdicts):
    log.grow_to(700)
    for file in ("tile/entries/001", "tile/0/002.p/188", "tile/1/000.p/2", "checkpoint"):
        path = log.path / file
        whole = path.read_bytes()
        path.unlink()
        statuses, go, _ = verdicts(log.path)
        assert (statuses, "is missing" in go) == ((1, 1), True)
        path.write_bytes(whole)


def test_names_the_same_wrong_entry(log, verdicts):
    log.grow_to(700)
    entries = [*log.entries[256:300], b"{}", *log.entries[301:512]]
    log.folder.write_places([(EntryBundle(1), encode_bundle(entries))])
    statuses, go, mc = verdicts(log.path)
    assert statuses == (1, 1)
    assert "ntry 300 was changed" in go
    assert "ntry 300 was changed" in mc


def test_refuses_entries_that_were_replaced_together_with_their_hashes(log, verdicts):
    log.grow_to(700)
    entries = [*log.entries[256:300], b"{}", *log.entries[301:512]]
    hashes = [leaf_hash(each) for each in entries]
    log.folder.write_places(
        [(EntryBundle(1), encode_bundle(entries)), (Tile(0, 1), encode_tile(hashes))]
    )
    assert verdicts(log.path)[0] == (1, 1)


def test_refuses_another_key_and_another_log_s_checkpoint(log, verdicts, tmp_path):
    other = GrowingLog(tmp_path / "other").grow_to(700, mark="other")
    log.grow_to(700)
    stranger = type(log.key)(name=log.key.name, type=log.key.type, seed=b"s" * 32)
    assert verdicts(log.path, stranger.verifier.to_vkey())[0] == (1, 1)
    log.folder.publish(other.checkpoints[700])
    assert verdicts(log.path)[0] == (1, 1)


def test_decides_nothing_without_a_log(verdicts, tmp_path):
    assert verdicts(tmp_path / "nowhere")[0] == (2, 2)
    assert verdicts("http://127.0.0.1:9/log")[0] == (2, 2)


def test_accepts_either_of_two_keys_while_a_log_changes_its_key(log, program):
    old, new = (key.verifier.to_vkey() for key in (KEY, NEXT))
    log.grow_to(300).announce(NEXT).grow_to(400)
    for keys in ([old], [new], [old, new]):
        status, output, _ = go_verifier.verify(program, log.path, vkey=keys[0], further=keys[1:])
        assert (status, "400 entries" in output) == (0, True)
    log.retire().grow_to(500)
    assert go_verifier.verify(program, log.path, vkey=old)[0] == 1
    assert go_verifier.verify(program, log.path, vkey=old, further=[new])[0] == 0
    stranger = type(KEY)(name="log.example/else", type=KEY.type, seed=b"e" * 32)
    other = stranger.verifier.to_vkey()
    assert go_verifier.verify(program, log.path, vkey=new, further=[other])[0] == 2


def test_shows_a_token_to_a_server_that_asks_for_one(log, server, program):
    log.grow_to(300)
    server.token = "mc_0a1b_secret"
    status, _, errors = go_verifier.verify(program, server.address, vkey=VKEY)
    assert (status, "MC_TOKEN must hold a token" in errors) == (2, True)
    assert go_verifier.verify(program, server.address, vkey=VKEY, token=server.token)[0] == 0
    clear = go_verifier.verify(program, "http://ops.example/log", vkey=VKEY, token=server.token)
    assert (clear[0], "in the clear" in clear[2]) == (2, True)
