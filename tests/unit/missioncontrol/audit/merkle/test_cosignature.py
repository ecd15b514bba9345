from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from missioncontrol.audit.merkle.checkpoint import Checkpoint, sign_checkpoint
from missioncontrol.audit.merkle.cosignature import (
    cosign,
    require_fresh,
    require_quorum,
    verify_cosignatures,
)
from missioncontrol.audit.merkle.errors import FreshnessError, QuorumError, SignatureError
from missioncontrol.audit.merkle.keys import KeyType, SigningKey, VerifierKey
from missioncontrol.audit.merkle.note import Note, SignatureLine, parse_note

AT = datetime(2026, 12, 1, 12, tzinfo=UTC)
LOG = SigningKey(name="log", type=KeyType.ED25519, seed=b"\x05" * 32)
CHECKPOINT = Checkpoint(origin="log", size=3, root=b"\x09" * 32)


def witness(number, *, name=None):
    return SigningKey(
        name=name or f"member{number:02d}",
        type=KeyType.COSIGNATURE_V1,
        seed=bytes([number]) * 32,
    )


def cosigned(*lines):
    return sign_checkpoint(CHECKPOINT, key=LOG).note.with_signatures(lines)


class TestCosign:
    def test_writes_the_lines_of_the_vectors(self, vectors):
        derived = vectors["notes"]["derived"]
        root = bytes.fromhex(vectors["tree8_published"]["roots_by_size_hex"][8])
        eight = Checkpoint(origin=derived["origin"], size=8, root=root)
        for case in derived["witnesses"]:
            key = SigningKey(
                name=case["name"],
                type=KeyType.COSIGNATURE_V1,
                seed=bytes.fromhex(case["seed_hex"]),
            )
            at = datetime.fromtimestamp(case["timestamp"], UTC)
            assert cosign(eight, key=key, at=at).format() == case["line"]

    def test_signs_whole_seconds_and_never_later_than_now(self):
        key = witness(1)
        late = AT + timedelta(microseconds=999_999)
        assert cosign(CHECKPOINT, key=key, at=late) == cosign(CHECKPOINT, key=key, at=AT)

    def test_refuses_a_log_key_and_a_time_before_1970(self):
        with pytest.raises(ValueError, match="log is a key of type 0x01; cosigning needs 0x04"):
            cosign(CHECKPOINT, key=LOG, at=AT)
        with pytest.raises(ValueError, match="before 1970"):
            cosign(CHECKPOINT, key=witness(1), at=datetime(1969, 12, 31, tzinfo=UTC))


class TestVerifyCosignatures:
    def test_verifies_the_vectors_and_reads_the_times(self, vectors):
        derived = vectors["notes"]["derived"]
        keys = [VerifierKey.from_vkey(case["vkey"]) for case in derived["witnesses"]]
        note = parse_note(derived["cosigned_checkpoint"].encode())
        found = verify_cosignatures(note, witnesses=keys)
        assert [(each.witness, each.timestamp_s) for each in found] == [
            (key, case["timestamp"]) for key, case in zip(keys, derived["witnesses"], strict=True)
        ]

    def test_passes_over_witnesses_it_does_not_know(self):
        one, two = witness(1), witness(2)
        note = cosigned(*(cosign(CHECKPOINT, key=key, at=AT) for key in (one, two)))
        [found] = verify_cosignatures(note, witnesses=[one.verifier])
        assert found.witness == one.verifier
        assert verify_cosignatures(note, witnesses=[]) == []

    @pytest.mark.parametrize("octet", [0, 7, 8, 71])
    def test_refuses_a_changed_time_or_signature(self, octet):
        line = cosign(CHECKPOINT, key=witness(1), at=AT)
        payload = bytearray(line.payload)
        payload[octet] ^= 1
        changed = SignatureLine(name=line.name, key_id=line.key_id, payload=bytes(payload))
        with pytest.raises(SignatureError, match="The signature of 'member01'"):
            verify_cosignatures(cosigned(changed), witnesses=[witness(1).verifier])

    def test_refuses_a_time_beyond_63_bits_and_a_short_payload(self):
        key = witness(1).verifier
        for payload, message in ((b"\xff" * 72, "has the time 184"), (b"x" * 64, "has 64 octets")):
            line = SignatureLine(name=key.name, key_id=key.key_id, payload=payload)
            with pytest.raises(SignatureError, match=message):
                verify_cosignatures(cosigned(line), witnesses=[key])

    def test_does_not_take_a_cosignature_for_another_checkpoint(self):
        other = Checkpoint(origin="log", size=3, root=b"\x08" * 32)
        line = cosign(other, key=witness(1), at=AT)
        with pytest.raises(SignatureError, match="The signature of 'member01'"):
            verify_cosignatures(cosigned(line), witnesses=[witness(1).verifier])

    def test_counts_a_witness_that_signed_twice_once_by_its_latest_time(self):
        lines = [
            cosign(CHECKPOINT, key=witness(1), at=AT + timedelta(seconds=s)) for s in (0, 60, 30)
        ]
        note = sign_checkpoint(CHECKPOINT, key=LOG).note
        doubled = Note(text=note.text, signatures=(*note.signatures, *lines))
        [found] = verify_cosignatures(doubled, witnesses=[witness(1).verifier])
        assert found.timestamp_s == int(AT.timestamp()) + 60

    def test_counts_one_key_under_two_names_once(self):
        one, alias = witness(1), witness(1, name="member99")
        note = cosigned(*(cosign(CHECKPOINT, key=key, at=AT) for key in (one, alias)))
        found = verify_cosignatures(note, witnesses=[one.verifier, alias.verifier])
        assert len(found) == 1

    def test_refuses_keys_that_do_not_cosign(self):
        with pytest.raises(ValueError, match="log is a key of type 0x01; 0x04 is needed"):
            verify_cosignatures(cosigned(), witnesses=[LOG.verifier])


class TestPolicy:
    def found(self, *seconds):
        keys = [witness(number) for number in range(1, len(seconds) + 1)]
        lines = [
            cosign(CHECKPOINT, key=key, at=AT + timedelta(seconds=s))
            for key, s in zip(keys, seconds, strict=True)
        ]
        return verify_cosignatures(cosigned(*lines), witnesses=[key.verifier for key in keys])

    def test_takes_a_quorum_and_names_who_is_there_when_one_is_missing(self):
        found = self.found(0, 0, 0)
        require_quorum(found, quorum=3)
        with pytest.raises(QuorumError, match="3 distinct witnesses cosigned, 4 are needed"):
            require_quorum(found, quorum=4)
        with pytest.raises(QuorumError, match="Cosigned: nobody"):
            require_quorum([], quorum=1)

    def test_does_not_count_the_same_witness_again(self):
        with pytest.raises(QuorumError, match="1 distinct witnesses"):
            require_quorum(self.found(0) * 5, quorum=2)

    def test_takes_times_inside_the_window_and_no_others(self):
        window = timedelta(minutes=10)
        require_fresh(self.found(-600, 0, 600), at=AT, max_age=window, quorum=3)
        for seconds in ((-601, 0, 0), (601, 0, 0)):
            with pytest.raises(FreshnessError, match="2 witnesses cosigned the checkpoint within"):
                require_fresh(self.found(*seconds), at=AT, max_age=window, quorum=3)
