from __future__ import annotations

import subprocess
import sys

import pytest

from missioncontrol.audit.merkle.cosignature import cosign
from missioncontrol.audit.merkle.keys import KeyType, SigningKey, VerifierKey
from missioncontrol.audit.merkle.opening import Opening, format_opening
from missioncontrol.audit.merkle.receipt import Receipt, format_receipt
from missioncontrol.audit.merkle.text_fields import write_base64
from missioncontrol.audit.merkle.tiles import EntryBundle, TileNodes, encode_bundle
from missioncontrol.audit.merkle.tree import inclusion_proof
from missioncontrol.client.command_line import main
from tests.unit.missioncontrol.client.growing_log import KEY, NEXT, VKEY, flip
from tests.unit.missioncontrol.client.witness.test_witness import AT, WITNESS

SECOND = SigningKey(name="member.example/w2", type=KeyType.COSIGNATURE_V1, seed=b"v" * 32)


@pytest.fixture
def run(tmp_path, monkeypatch, capsys):
    """Return a function that runs one command and gives (status, output, errors)."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "home"))

    def ran(*arguments):
        try:
            status = main([str(argument) for argument in arguments])
        except SystemExit as ended:  # argparse
            status = ended.code
        captured = capsys.readouterr()
        return status, captured.out, captured.err

    return ran


@pytest.fixture
def verify(run, log):
    return lambda *more, source=None: run(
        "log", "verify", source or log.path, "--vkey", VKEY, *more
    )


class TestLogVerify:
    def test_ends_with_0_and_a_summary(self, log, verify):
        log.grow_to(600)
        status, output, errors = verify()
        assert (status, errors) == (0, "")
        assert output.startswith("verified: log log.example/ops, 600 entries, root ")
        assert output.count("\n") == 1

    def test_remembers_and_says_what_it_continues(self, log, verify):
        log.grow_to(300)
        assert "first checkpoint kept" in verify()[1]
        log.grow_to(600)
        assert "continues size 300 of this computer" in verify()[1]

    def test_refuses_a_roll_back_and_keeps_the_evidence(self, log, verify, tmp_path):
        log.grow_to(300).grow_to(600)
        verify()
        log.folder.publish(log.checkpoints[300])
        status, output, errors = verify()
        assert (status, output) == (1, "")
        assert "REFUSED. Rolled back: the log now shows size 300" in errors
        [file] = (tmp_path / "home").rglob("evidence-300-*")
        assert str(file) in errors
        assert file.read_bytes() == log.checkpoints[300].note.format()
        log.folder.publish(log.checkpoints[600])
        assert verify()[0] == 0

    def test_refuses_a_fork(self, log, verify, tmp_path):
        log.grow_to(200).grow_to(300)
        verify()
        fork = log.forked(tmp_path / "fork", size=200).grow_to(700, mark="fork")
        status, _, errors = verify(source=fork.path)
        assert status == 1
        assert "REFUSED. Forked: the log now shows size 700" in errors
        assert verify("--state", tmp_path / "other", source=fork.path)[0] == 0

    def test_refuses_a_log_that_another_member_saw_differently(self, log, verify, tmp_path):
        log.grow_to(200)
        fork = log.forked(tmp_path / "fork", size=100).grow_to(700, mark="fork")
        theirs = log.path / "checkpoint"
        status, _, errors = verify("--from-checkpoint", theirs, source=fork.path)
        assert status == 1
        assert f"kept by {theirs}" in errors
        assert verify("--from-checkpoint", theirs)[0] == 0

    def test_names_a_wrong_entry_and_remembers_nothing_of_that_log(self, log, verify, tmp_path):
        log.grow_to(600)
        entries = [*log.entries[:17], b"{}", *log.entries[18:256]]
        log.folder.write_places([(EntryBundle(0), encode_bundle(entries))])
        status, _, errors = verify()
        assert status == 1
        assert "Entry 17 was changed" in errors
        assert not list((tmp_path / "home").rglob("checkpoint"))

    def test_refuses_a_changed_checkpoint(self, log, verify):
        flip(log.grow_to(3).path / "checkpoint", -5)
        status, _, errors = verify()
        assert status == 1
        assert "REFUSED." in errors

    def test_refuses_another_origin(self, log, verify):
        log.grow_to(3)
        status, _, errors = verify("--origin", "log.example/else")
        assert status == 1
        assert "'log.example/else' was asked for" in errors

    def test_ends_with_2_where_nothing_can_be_decided(self, verify, run, tmp_path):
        assert verify(source=tmp_path / "nowhere")[0] == 2
        assert verify("--from-checkpoint", tmp_path / "nowhere")[0] == 2
        assert verify(source="ftp://log.example/log")[0] == 2
        assert run("log", "verify", tmp_path, "--vkey", "nonsense")[0] == 2
        assert run("log", "verify", tmp_path, "--vkey", WITNESS.verifier.to_vkey())[0] == 2


class TestLogMirrorAndShow:
    def test_mirrors_and_shows(self, log, run, tmp_path):
        log.grow_to(300)
        copy = tmp_path / "usb"
        status, output, _ = run("log", "mirror", log.path, copy, "--vkey", VKEY)
        assert (status, "300 new entries" in output) == (0, True)
        status, output, errors = run("log", "show", copy, "--vkey", VKEY)
        assert (status, errors) == (0, "")
        assert output.splitlines()[-1] == '299: {"mark":"","n":299}'

    def test_shows_one_entry_with_its_proof(self, log, run):
        status, output, errors = run("log", "show", log.grow_to(300).path, "--index", 17)
        assert status == 0
        assert output.startswith('{"mark":"","n":17}\nentry 17 of 300')
        assert output.count("\nproof ") == 9
        assert "signature is not checked" in errors

    def test_refuses_to_show_an_entry_that_is_not_in_the_tree(self, log, run):
        log.grow_to(300)
        entries = [b"{}", *log.entries[1:256]]
        log.folder.write_places([(EntryBundle(0), encode_bundle(entries))])
        assert run("log", "show", log.path, "--index", 0)[0] == 1
        assert run("log", "show", log.path, "--index", 300)[0] == 2

    def test_never_sends_an_entry_s_controls_to_the_terminal(self, log, run):
        log.grow_to(2)
        log.folder.write_places([(EntryBundle(0, 2), encode_bundle([b"\x1b[2J\xff", b"x"]))])
        _, output, _ = run("log", "show", log.path)
        assert "0: \\x1b[2J\\xff\n1: x\n" in output


class TestReceiptVerify:
    @pytest.fixture
    def receipt(self, log, tmp_path):
        """Return the files of a receipt of entry 17, cosigned once, and of its entry."""
        signed = log.grow_to(300).checkpoints[300]
        nodes = TileNodes(size=300, read_tile=log.folder.read_tile)
        line = cosign(signed.checkpoint, key=WITNESS, at=AT)
        octets = format_receipt(
            Receipt(
                index=17,
                proof=tuple(inclusion_proof(index=17, size=300, read_node=nodes)),
                checkpoint=signed.note.with_signatures([line]).format(),
            )
        )
        files = tmp_path / "17.tlog-proof", tmp_path / "17.json"
        files[0].write_bytes(octets)
        files[1].write_bytes(log.entries[17])
        return files

    @pytest.fixture
    def check(self, run, receipt):
        return lambda *more: run(
            "receipt", "verify", receipt[0], "--entry", receipt[1], "--vkey", VKEY, *more
        )

    def test_accepts_a_true_one(self, check):
        status, output, _ = check("--witness", WITNESS.verifier.to_vkey())
        assert status == 0
        assert output.startswith("verified: entry 17 of log log.example/ops at 300 entries")
        assert "cosigned: member.example/w at 2026-12-01T12:00:00Z" in output

    def test_refuses_another_entry(self, check, receipt):
        receipt[1].write_bytes(b'{"n":18}')
        assert check()[0] == 1

    def test_refuses_too_few_witnesses(self, check):
        keys = [key.verifier.to_vkey() for key in (WITNESS, SECOND)]
        both = ("--witness", keys[0], "--witness", keys[1])
        status, _, errors = check(*both)
        assert status == 1
        assert "1 distinct witnesses cosigned, 2 are needed" in errors
        assert check(*both, "--quorum", 1)[0] == 0

    def test_ends_with_2_at_a_quorum_that_nobody_can_meet(self, check):
        assert check("--quorum", 1)[0] == 2
        key = WITNESS.verifier.to_vkey()
        assert check("--witness", key, "--witness", key, "--quorum", 2)[0] == 2


class TestKeyRotation:
    """Whoever was handed the first key goes on with it, through all that follow."""

    def test_is_followed_by_log_verify_which_says_so(self, log, verify):
        log.grow_to(300)
        verify()
        log.announce(NEXT).grow_to(400)
        assert "signed by log.example/ops+24c3855c; continues size 300" in verify()[1]
        log.retire().grow_to(500)
        status, output, _ = verify()
        assert status == 0
        assert f"announced by log.example/ops+24c3855c: {NEXT.verifier.to_vkey()}" in output
        log.grow_to(600)
        assert "continues size 500 of this computer" in verify()[1]

    def test_does_not_begin_anew_for_somebody_who_goes_over_to_the_new_key(self, log, run, verify):
        log.grow_to(300).announce(NEXT).retire().grow_to(500)
        verify()
        new = ("log", "verify", log.path, "--vkey", NEXT.verifier.to_vkey())
        assert "continues size 500 of this computer" in run(*new)[1]

    def test_takes_a_neighbour_s_checkpoint_of_before(self, log, verify, tmp_path):
        log.grow_to(300).announce(NEXT).retire().grow_to(500)
        neighbour = tmp_path / "neighbour"
        neighbour.write_bytes(log.checkpoints[300].note.format())
        status, output, _ = verify("--from-checkpoint", neighbour)
        assert (status, f"continues size 300 of {neighbour}" in output) == (0, True)

    def test_does_not_let_the_new_key_leave_the_old_one_s_history(self, log, verify, tmp_path):
        """Who stole the new key alone cannot rewrite what the old one signed."""
        log.grow_to(200).grow_to(300).announce(NEXT).retire().grow_to(500)
        fork = log.forked(tmp_path / "fork", size=200)
        fork.key = NEXT
        fork.grow_to(900, mark="fork")
        announcement = log.folder.read_announcement(KEY.verifier)
        fork.folder.write_announcement(KEY.verifier, announcement)
        status, _, errors = verify(source=fork.path)
        assert status == 1
        assert "at size 301 the root is" in errors
        assert verify()[0] == 0

    def test_refuses_a_key_that_nobody_announced(self, log, verify):
        log.grow_to(300)
        log.key = NEXT
        log.grow_to(301)
        status, _, errors = verify()
        assert (status, "REFUSED. No trusted key signed" in errors) == (1, True)

    def test_leads_a_receipt_from_the_old_key_to_the_new_one(self, log, run, tmp_path):
        log.grow_to(300).announce(NEXT).retire().grow_to(302)
        nodes = TileNodes(size=302, read_tile=log.folder.read_tile)
        proof = tuple(inclusion_proof(index=17, size=302, read_node=nodes))
        note = log.checkpoints[302].note.format()
        files = tmp_path / "17.tlog-proof", tmp_path / "17.json"
        files[0].write_bytes(format_receipt(Receipt(index=17, proof=proof, checkpoint=note)))
        files[1].write_bytes(log.entries[17])
        check = ("receipt", "verify", files[0], "--entry", files[1], "--vkey", VKEY)
        assert run(*check)[0] == 1
        followed = log.path / "keys" / "24c3855c"
        assert run(*check, "--announcement", followed)[0] == 0
        assert run(*check, "--announcement", followed, "--announcement", followed)[0] == 1


class TestOpeningVerify:
    @pytest.fixture
    def files(self, tmp_path):
        """Return the files of an opening and of its entry."""
        # A sign that turns the rest of a terminal's line round.
        opening = Opening(salt=bytes(range(32)), payload='{"program":"\u202eSHA256"}'.encode())
        commitment = write_base64(opening.commitment())
        files = tmp_path / "17.opening", tmp_path / "17.json"
        files[0].write_bytes(format_opening(opening))
        files[1].write_bytes(b'{"action":"job.submit","commitment":"%s"}' % commitment.encode())
        return files

    @pytest.fixture
    def check(self, run, files):
        return lambda: run("opening", "verify", files[0], "--entry", files[1])

    def test_prints_what_the_entry_was_committed_to(self, check):
        status, output, errors = check()
        assert (status, errors) == (0, "")
        assert output.startswith('{"program":"\\u202eSHA256"}\n')
        assert "verified: this is what the entry with the leaf hash " in output

    def test_refuses_another_octet_and_another_entry(self, check, files):
        octets = files[0].read_bytes()
        files[0].write_bytes(octets.replace(b"256", b"257"))
        status, output, errors = check()
        assert (status, output) == (1, "")
        assert "REFUSED. The opening is not this entry's" in errors
        files[0].write_bytes(octets)
        files[1].write_bytes(b'{"action":"job.submit"}')
        status, _, errors = check()
        assert (status, "has no private part" in errors) == (1, True)

    def test_decides_nothing_without_its_files(self, check, files):
        files[1].unlink()
        assert check()[0] == 2


class TestWitnessInit:
    def test_makes_a_key_that_only_its_owner_reads(self, run, tmp_path):
        status, output, _ = run("witness", "init", "--name", "member.example/w")
        key = VerifierKey.from_vkey(output.strip())
        assert (status, key.name, key.type) == (0, "member.example/w", KeyType.COSIGNATURE_V1)
        file = tmp_path / "home" / "missioncontrol" / "witness" / "key"
        assert file.stat().st_mode & 0o777 == 0o600
        assert SigningKey.from_skey(file.read_text().strip()).verifier == key

    def test_never_replaces_a_key_or_a_ledger(self, run, tmp_path):
        assert run("witness", "init", "--name", "member.example/w")[0] == 0
        assert run("witness", "init", "--name", "member.example/w")[0] == 2
        assert run("witness", "init", "--name", "m", "--key", tmp_path / "other")[0] == 2

    def test_refuses_a_name_that_no_signature_could_carry(self, run, tmp_path):
        assert run("witness", "init", "--name", "two words")[0] == 2
        assert not list(tmp_path.rglob("key"))

    def test_does_not_run_with_a_key_that_others_read(self, run, tmp_path):
        run("witness", "init", "--name", "w")
        file = tmp_path / "home" / "missioncontrol" / "witness" / "key"
        file.chmod(0o644)
        status, _, errors = run("witness", "run", "--log", VKEY)
        assert (status, "chmod 600" in errors) == (2, True)

    @pytest.mark.parametrize("address", ["127.0.0.1", "nonsense", "127.0.0.1:x", ":80"])
    def test_refuses_what_is_no_address(self, run, address):
        assert run("witness", "run", "--log", VKEY, "--listen", address)[0] == 2


def test_loads_nothing_but_the_standard_library_cryptography_and_the_log():
    program = (
        "import sys; before = set(sys.modules); import missioncontrol.client.command_line; "
        "print(*sorted(set(sys.modules) - before))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    foreign = [
        name
        for name in done.stdout.split()
        if name.split(".")[0] not in {*sys.stdlib_module_names, "cryptography"}
        and not name.startswith(("_cffi", "_openssl", "missioncontrol.client"))
        and not name.startswith(("missioncontrol.audit.merkle", "missioncontrol.audit.log_folder"))
    ]
    assert foreign == ["missioncontrol", "missioncontrol.audit"]
