from __future__ import annotations

from base64 import b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from missioncontrol.audit.merkle.checkpoint import (
    Checkpoint,
    open_checkpoint,
    parse_checkpoint_body,
    sign_checkpoint,
    verify_extension,
)
from missioncontrol.audit.merkle.errors import (
    FormatError,
    FreshnessError,
    OriginError,
    ProofError,
    SignatureError,
    SplitViewError,
)
from missioncontrol.audit.merkle.hashing import EMPTY_ROOT
from missioncontrol.audit.merkle.keys import KeyType, SigningKey, VerifierKey
from missioncontrol.audit.merkle.note import sign_note
from tests.unit.missioncontrol.audit.merkle import rfc6962_reference as reference

ORIGIN = "log.example.org/v1"
KEY = SigningKey(name=ORIGIN, type=KeyType.ED25519, seed=b"\x05" * 32)
ENTRIES = [b"entry-%d" % i for i in range(20)]
ROOT_B64 = b64encode(reference.mth(ENTRIES)).decode()
LINES = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), min_size=1)


def checkpoint(size, *, entries=ENTRIES, origin=ORIGIN):
    return Checkpoint(origin=origin, size=size, root=reference.mth(entries[:size]))


class TestCheckpoint:
    def test_writes_and_signs_the_checkpoint_of_the_vectors(self, vectors):
        derived = vectors["notes"]["derived"]
        key = SigningKey(
            name=derived["origin"],
            type=KeyType.ED25519,
            seed=bytes.fromhex(derived["log_seed_hex"]),
        )
        root = bytes.fromhex(vectors["tree8_published"]["roots_by_size_hex"][8])
        eight = Checkpoint(origin=derived["origin"], size=8, root=root)
        assert eight.body() == derived["checkpoint_body"]
        assert parse_checkpoint_body(derived["checkpoint_body"]) == eight
        signed = sign_checkpoint(eight, key=key).note.format().decode()
        assert derived["cosigned_checkpoint"].startswith(signed)

    def test_opens_the_published_and_the_cosigned_checkpoint(self, vectors):
        derived = vectors["notes"]["derived"]
        sigsum = vectors["notes"]["published"][1]
        for octets, origin, vkey, size in (
            (derived["cosigned_checkpoint"], derived["origin"], derived["log_vkey"], 8),
            (sigsum["note"], sigsum["note"].split("\n")[0], sigsum["vkey"], 10),
        ):
            opened = open_checkpoint(
                octets.encode(), origin=origin, log_keys=[VerifierKey.from_vkey(vkey)]
            )
            assert opened.checkpoint.size == size
            assert opened.note.format() == octets.encode()

    @given(
        origin=LINES,
        size=st.integers(1, 2**63 - 1),
        root=st.binary(min_size=32, max_size=32),
        extension=st.lists(LINES, max_size=3).map(tuple),
    )
    def test_reads_back_every_checkpoint(self, origin, size, root, extension):
        given_one = Checkpoint(origin=origin, size=size, root=root, extension_lines=extension)
        octets = sign_checkpoint(given_one, key=KEY).note.format()
        opened = open_checkpoint(octets, origin=origin, log_keys=[KEY.verifier])
        assert opened.checkpoint == given_one

    @pytest.mark.parametrize("size", ["08", "+8", "-8", "8 ", " 8", "8.0", "0x8", "", "٨", "1_0"])
    def test_refuses_a_size_that_is_spelled_another_way(self, size):
        with pytest.raises(FormatError, match="The checkpoint's size is"):
            parse_checkpoint_body(f"{ORIGIN}\n{size}\n{ROOT_B64}\n")

    @pytest.mark.parametrize("size", [2**63, 10**40])
    def test_refuses_a_size_beyond_63_bits(self, size):
        with pytest.raises(FormatError, match="from 0 to 9223372036854775807"):
            parse_checkpoint_body(f"{ORIGIN}\n{size}\n{ROOT_B64}\n")

    @pytest.mark.parametrize(
        ("body", "message"),
        [
            (f"{ORIGIN}\n8\n{ROOT_B64}", "ends in a newline"),
            (f"{ORIGIN}\n8\n", "has 2 lines"),
            (f"\n8\n{ROOT_B64}\n", "'' cannot be a line"),
            (f"{ORIGIN}\n8\n{ROOT_B64}\n\n", "'' cannot be a line"),
            (f"{ORIGIN}\n8\n{ROOT_B64[:-1]}\n", "not base64"),
            (f"{ORIGIN}\n8\nAAAA\n", "has 3 octets; a hash has 32"),
            (f"{ORIGIN}\n0\n{ROOT_B64}\n", "size is 0 and its root"),
        ],
    )
    def test_refuses_what_is_not_a_checkpoint(self, body, message):
        with pytest.raises(FormatError, match=message):
            parse_checkpoint_body(body)

    def test_takes_the_empty_log(self):
        empty = Checkpoint(origin=ORIGIN, size=0, root=EMPTY_ROOT)
        assert parse_checkpoint_body(empty.body()) == empty

    def test_refuses_fields_that_no_checkpoint_has(self):
        with pytest.raises(FormatError, match="size -1 is not from 0"):
            Checkpoint(origin=ORIGIN, size=-1, root=EMPTY_ROOT)
        with pytest.raises(FormatError, match="root has 31 octets"):
            Checkpoint(origin=ORIGIN, size=1, root=bytes(31))

    def test_refuses_another_logs_checkpoint_although_the_key_is_trusted(self):
        octets = sign_checkpoint(checkpoint(8), key=KEY).note.format()
        with pytest.raises(OriginError, match=f"is of the log '{ORIGIN}'; 'other' was asked for"):
            open_checkpoint(octets, origin="other", log_keys=[KEY.verifier])

    def test_believes_nothing_in_a_text_that_nobody_trusted_signed(self):
        octets = sign_note(text="not a checkpoint\n", key=KEY).format()
        with pytest.raises(SignatureError):
            open_checkpoint(octets, origin=ORIGIN, log_keys=[])
        with pytest.raises(FormatError, match="has 1 lines"):
            open_checkpoint(octets, origin=ORIGIN, log_keys=[KEY.verifier])


class TestVerifyExtension:
    @given(old=st.integers(1, 20), new=st.integers(1, 20))
    def test_accepts_growth_and_refuses_the_way_back(self, old, new):
        if old <= new:
            proof = reference.proof(old, ENTRIES[:new])
            verify_extension(checkpoint(old), checkpoint(new), proof=proof)
        else:
            with pytest.raises(FreshnessError, match=f"size {old} of this log was seen"):
                verify_extension(checkpoint(old), checkpoint(new), proof=[])

    def test_accepts_anything_after_the_empty_log_but_no_proof(self):
        verify_extension(checkpoint(0), checkpoint(8), proof=[])
        with pytest.raises(ProofError, match="it must be empty"):
            verify_extension(checkpoint(0), checkpoint(8), proof=[bytes(32)])

    def test_refuses_another_log(self):
        with pytest.raises(OriginError, match="'other' cannot extend"):
            verify_extension(checkpoint(8), checkpoint(8, origin="other"), proof=[])

    def test_calls_a_fork_a_fork(self):
        forked = checkpoint(8, entries=ENTRIES[::-1])
        with pytest.raises(SplitViewError, match="Keep both checkpoints"):
            verify_extension(checkpoint(8), forked, proof=[])
