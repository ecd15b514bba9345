from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from missioncontrol.audit.merkle.errors import FormatError, SignatureError
from missioncontrol.audit.merkle.keys import KeyType, SigningKey, VerifierKey
from missioncontrol.audit.merkle.note import (
    MAX_NOTE_OCTETS,
    MAX_SIGNATURES,
    Note,
    SignatureLine,
    parse_note,
    sign_note,
    verify_note,
)

ALICE = SigningKey(name="alice", type=KeyType.ED25519, seed=b"\x01" * 32)
BOB = SigningKey(name="bob", type=KeyType.ED25519, seed=b"\x02" * 32)
WITNESS = SigningKey(name="witness", type=KeyType.COSIGNATURE_V1, seed=b"\x03" * 32)
TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]) | st.just("\n"))


class TestSignedNote:
    def test_verifies_and_writes_back_the_published_notes(self, vectors):
        for case in vectors["notes"]["published"]:
            note = parse_note(case["note"].encode())
            key = VerifierKey.from_vkey(case["vkey"])
            assert verify_note(note, keys=[key]) == (key,)
            assert note.format() == case["note"].encode()

    @given(text=TEXTS)
    def test_reads_back_every_text_that_it_signed(self, text):
        note = sign_note(text=text + "\n", key=ALICE)
        again = parse_note(note.format())
        assert again == note
        assert verify_note(again, keys=[ALICE.verifier]) == (ALICE.verifier,)

    @given(octets=st.binary(max_size=200))
    def test_refuses_noise_or_writes_it_back_exactly(self, octets):
        try:
            note = parse_note(octets)
        except FormatError:
            return
        assert note.format() == octets

    @given(text=TEXTS.filter(bool), data=st.data())
    def test_refuses_a_changed_text(self, text, data):
        note = sign_note(text=text + "\n", key=ALICE)
        at = data.draw(st.integers(0, len(text) - 1))
        changed = text[:at] + ("x" if text[at] != "x" else "y") + text[at + 1 :]
        with pytest.raises(SignatureError, match="'alice'"):
            verify_note(
                Note(text=changed + "\n", signatures=note.signatures), keys=[ALICE.verifier]
            )

    def test_passes_over_unknown_keys_that_share_a_name_or_an_identifier(self):
        note = sign_note(text="t\n", key=ALICE)
        impostors = [
            SignatureLine(name="alice", key_id=b"\0\0\0\0", payload=b"x" * 64),
            SignatureLine(name="carol", key_id=ALICE.verifier.key_id, payload=b"x" * 64),
        ]
        mixed = note.with_signatures(impostors)
        assert verify_note(mixed, keys=[ALICE.verifier]) == (ALICE.verifier,)

    def test_refuses_the_whole_note_for_one_wrong_signature_of_a_known_key(self):
        note = sign_note(text="t\n", key=ALICE)
        wrong = SignatureLine(name="bob", key_id=BOB.verifier.key_id, payload=b"x" * 64)
        keys = [ALICE.verifier, BOB.verifier]
        with pytest.raises(SignatureError, match="The signature of 'bob'"):
            verify_note(note.with_signatures([wrong]), keys=keys)

    def test_refuses_a_wrong_second_line_of_a_key_whose_first_holds(self):
        note = sign_note(text="t\n", key=ALICE)
        wrong = SignatureLine(name="alice", key_id=ALICE.verifier.key_id, payload=b"x" * 64)
        doubled = Note(text="t\n", signatures=(*note.signatures, wrong))
        with pytest.raises(SignatureError, match="The signature of 'alice'"):
            verify_note(doubled, keys=[ALICE.verifier])

    def test_refuses_a_signature_of_another_length(self):
        short = SignatureLine(name="alice", key_id=ALICE.verifier.key_id, payload=b"x" * 63)
        with pytest.raises(SignatureError, match="has 63 octets; Ed25519 has 64"):
            verify_note(Note(text="t\n", signatures=(short,)), keys=[ALICE.verifier])

    def test_counts_a_key_that_signed_twice_once(self):
        [line] = sign_note(text="t\n", key=ALICE).signatures
        note = Note(text="t\n", signatures=(line, line))
        assert verify_note(note, keys=[ALICE.verifier]) == (ALICE.verifier,)

    def test_says_who_is_trusted_and_who_signed(self):
        note = sign_note(text="t\n", key=ALICE)
        with pytest.raises(SignatureError, match="Trusted: 'bob'; on the note: 'alice'"):
            verify_note(note, keys=[BOB.verifier])
        with pytest.raises(SignatureError, match="Trusted: nobody"):
            verify_note(note, keys=[])

    def test_refuses_keys_that_do_not_sign_notes(self):
        note = sign_note(text="t\n", key=ALICE)
        with pytest.raises(ValueError, match="witness is a key of type 0x04; 0x01 is needed"):
            verify_note(note, keys=[ALICE.verifier, WITNESS.verifier])
        with pytest.raises(ValueError, match="witness is a key of type 0x04; notes need 0x01"):
            sign_note(text="t\n", key=WITNESS)

    def test_replaces_an_earlier_line_of_the_same_key(self):
        note = sign_note(text="t\n", key=ALICE)
        first = SignatureLine(name="w", key_id=b"wwww", payload=b"first")
        second = SignatureLine(name="w", key_id=b"wwww", payload=b"second")
        longer = note.with_signatures([first]).with_signatures([second])
        assert longer.signatures == (*note.signatures, second)

    @pytest.mark.parametrize("text", ["no newline at the end", "", "tab\t\n", "return\r\n"])
    def test_refuses_to_sign_what_could_not_be_read(self, text):
        with pytest.raises(FormatError):
            sign_note(text=text, key=ALICE)


class TestParseNote:
    @pytest.mark.parametrize(
        ("octets", "message"),
        [
            (b"", "a text, an empty line"),
            (b"text\n", "a text, an empty line"),
            (b"text\n\n", "a text, an empty line"),
            ("text\n\n— a AAAAAAA=".encode(), "a text, an empty line"),
            (b"text\n\n- a AAAAAAA=\n", "not a signature line"),
            ("text\n\n— a\n".encode(), "not a signature line"),
            ("text\n\n—a AAAAAAA=\n".encode(), "not a signature line"),
            ("text\n\n— a AAAAAAA= \n".encode(), "not base64"),
            ("text\n\n— a AAAAAAA\n".encode(), "not base64"),
            ("text\n\n— a AAAAAAB=\n".encode(), "not canonical base64"),
            ("text\n\n— a AAAA_AA=\n".encode(), "not base64"),
            ("text\n\n— a AAAAAA==\n".encode(), "has 4 octets"),
            ("text\n\n— a+b AAAAAAA=\n".encode(), "not a key name"),
            ("text\n\n— a\u00a0b AAAAAAA=\n".encode(), "not a key name"),
            ("text\n\n—  AAAAAAA=\n".encode(), "not a key name"),
            (b"te\xffxt\n\n", "not UTF-8 at octet 2"),
            (b"te\0xt\n\n", r"control character U\+0000"),
            (b"text\r\n\r\n", r"control character U\+000D"),
        ],
    )
    def test_refuses_what_is_not_a_signed_note(self, octets, message):
        with pytest.raises(FormatError, match=message):
            parse_note(octets)

    def test_parts_text_and_signatures_at_the_last_empty_line(self):
        octets = "one\n\n— a AAAAAAA=\n\n— b AAAAAAA=\n".encode()
        note = parse_note(octets)
        assert note.text == "one\n\n— a AAAAAAA=\n"
        assert [line.name for line in note.signatures] == ["b"]

    def test_takes_as_many_signatures_as_the_limit_and_no_more(self):
        line = "— a AAAAAAA=\n"
        assert len(parse_note(f"t\n\n{line * MAX_SIGNATURES}".encode()).signatures) == 100
        with pytest.raises(FormatError, match="has 101 signatures; the limit is 100"):
            parse_note(f"t\n\n{line * (MAX_SIGNATURES + 1)}".encode())

    def test_refuses_a_note_that_is_too_long(self):
        with pytest.raises(FormatError, match="1000001 octets; the limit is 1000000"):
            parse_note(b"x" * (MAX_NOTE_OCTETS + 1))
