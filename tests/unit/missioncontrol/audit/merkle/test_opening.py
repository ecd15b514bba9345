from __future__ import annotations

import json
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from missioncontrol.audit.merkle.canonical import canonical_entry
from missioncontrol.audit.merkle.errors import FormatError, OpeningError, VerificationError
from missioncontrol.audit.merkle.opening import (
    MAX_OPENING_OCTETS,
    SALT_OCTETS,
    Opening,
    commitment_in,
    format_opening,
    parse_opening,
    verify_opening,
)
from missioncontrol.audit.merkle.text_fields import write_base64

SALTS = st.binary(min_size=SALT_OCTETS, max_size=SALT_OCTETS)
PAYLOADS = st.dictionaries(
    st.text(st.characters(codec="utf-8"), max_size=8),
    st.integers(-1000, 1000) | st.text(st.characters(codec="utf-8"), max_size=40),
    max_size=5,
)
SALT = bytes(range(32))
PAYLOAD = {"input_sha256": "ab", "program": "SHA256"}


def sealed(payload=None, salt=SALT):
    return Opening(salt=salt, payload=canonical_entry(PAYLOAD if payload is None else payload))


def committed(opening, **fields):
    """Return an entry with the commitment to *opening*."""
    return canonical_entry({"commitment": write_base64(opening.commitment()), **fields})


class TestCommitment:
    def test_is_the_hash_of_prefix_salt_and_payload_as_the_page_says(self):
        octets = (
            b"missioncontrol/opening/v1\n" + SALT + b'{"input_sha256":"ab","program":"SHA256"}'
        )
        assert sealed().commitment() == sha256(octets).digest()
        # Made once with sha256sum: an implementation that changes breaks old entries.
        assert sealed().commitment().hex() == (
            "953c7a588cb671b18d0e33ba64fc503d89b4a21007762eae1f5214e9bde592a8"
        )

    @given(payload=PAYLOADS, salt=SALTS, other=SALTS)
    def test_is_another_with_every_salt(self, payload, salt, other):
        first, second = sealed(payload, salt), sealed(payload, other)
        assert (first.commitment() == second.commitment()) == (salt == other)

    @pytest.mark.parametrize("length", [0, 31, 33])
    def test_takes_no_salt_of_another_length(self, length):
        with pytest.raises(FormatError, match=f"salt has {length} octets; it must have 32"):
            sealed(salt=bytes(length))


class TestVerifyOpening:
    @given(payload=PAYLOADS, salt=SALTS)
    def test_returns_the_payload_that_was_committed_to(self, payload, salt):
        opening = sealed(payload, salt)
        assert verify_opening(opening, entry=committed(opening, action="job.submit")) == payload

    @given(payload=PAYLOADS, salt=SALTS, data=st.data())
    def test_refuses_any_changed_bit_of_an_opening(self, payload, salt, data):
        opening = sealed(payload, salt)
        octets = bytearray(format_opening(opening))
        at = data.draw(st.integers(0, len(octets) - 1))
        octets[at] ^= 1 << data.draw(st.integers(0, 7))
        with pytest.raises(VerificationError):
            verify_opening(parse_opening(bytes(octets)), entry=committed(opening))

    @given(payload=PAYLOADS, salt=SALTS, other=PAYLOADS, other_salt=SALTS)
    def test_refuses_the_opening_of_another_entry(self, payload, salt, other, other_salt):
        mine, theirs = sealed(payload, salt), sealed(other, other_salt)
        if mine != theirs:
            with pytest.raises(OpeningError, match="is not this entry's"):
                verify_opening(theirs, entry=committed(mine))

    def test_refuses_salt_and_payload_that_only_join_to_the_same_octets(self):
        """What is cut elsewhere has another salt length, so nothing can be moved over."""
        opening = sealed()
        with pytest.raises(FormatError):
            Opening(salt=opening.salt + opening.payload[:1], payload=opening.payload[1:])

    def test_refuses_an_entry_without_a_commitment(self):
        with pytest.raises(OpeningError, match="has no private part"):
            verify_opening(sealed(), entry=canonical_entry({"action": "clock.set"}))

    @pytest.mark.parametrize(
        ("entry", "text"),
        [
            (b"no JSON", "is not JSON"),
            (b"[]", "is not a JSON object"),
            (b'{"commitment":7}', "commitment is not text"),
            (b'{"commitment":"AAAA"}', "a hash has 32"),
            (b'{"commitment":null,"commitment":"AAAA"}', "the name 'commitment' twice"),
            (b'{"a":NaN}', "holds NaN"),
        ],
    )
    def test_refuses_an_entry_that_can_be_read_in_two_ways_or_in_none(self, entry, text):
        with pytest.raises(FormatError, match=text):
            verify_opening(sealed(), entry=entry)

    @pytest.mark.parametrize("payload", [b"", b"7", b'{"a":1,"a":2}', b"\xff"])
    def test_refuses_a_payload_that_is_no_plain_object_even_if_it_was_committed_to(self, payload):
        opening = Opening(salt=SALT, payload=payload)
        with pytest.raises(FormatError, match="The private payload"):
            verify_opening(opening, entry=committed(opening))


class TestCommitmentIn:
    def test_is_nothing_in_an_entry_that_is_all_public(self):
        assert commitment_in(canonical_entry({"action": "clock.set"})) is None

    def test_is_found_among_other_fields(self):
        opening = sealed()
        assert commitment_in(committed(opening, zone="z", action="a")) == opening.commitment()


class TestFile:
    @given(payload=PAYLOADS, salt=SALTS)
    def test_reads_what_it_wrote(self, payload, salt):
        opening = sealed(payload, salt)
        octets = format_opening(opening)
        assert parse_opening(octets) == opening
        assert json.loads(octets.partition(b"\n\n")[2]) == payload

    def test_looks_as_the_page_says(self):
        salt = write_base64(SALT)
        assert format_opening(sealed()).decode() == (
            f'missioncontrol/opening@v1\nsalt {salt}\n\n{{"input_sha256":"ab","program":"SHA256"}}'
        )

    @pytest.mark.parametrize(
        ("octets", "text"),
        [
            (b"", "begins with ''"),
            (b"c2sp.org/tlog-proof@v1\nindex 1\n\n", "begins with"),
            (b"missioncontrol/opening@v1\n\n{}", "a salt line"),
            (b"missioncontrol/opening@v1\nsalt AAAA", "an empty line and the payload"),
            (b"missioncontrol/opening@v1\nsalt AAAA\n\n{}", "salt has 3 octets"),
            (b"missioncontrol/opening@v1\nsalt A\n\n{}", "is not base64"),
            (b"missioncontrol/opening@v1\npepper AAAA\n\n{}", "a salt line"),
            (b"missioncontrol/opening@v1\nsalt AAAA\nmore\n\n{}", "a salt line"),
            (b"\xff" * 10, "begins with"),
            (bytes(MAX_OPENING_OCTETS + 1), "the limit is"),
        ],
    )
    def test_refuses_other_forms(self, octets, text):
        with pytest.raises(FormatError, match=text):
            parse_opening(octets)

    def test_holds_the_longest_payload_that_can_be_committed_to(self):
        longest = sealed({"a": "x" * (65_535 - 8)})
        assert len(longest.payload) == 65_535
        octets = format_opening(longest)
        assert verify_opening(parse_opening(octets), entry=committed(longest))["a"][0] == "x"

    @given(octets=st.binary(max_size=200))
    def test_never_fails_on_noise_but_by_refusing(self, octets):
        with pytest.raises(FormatError):
            parse_opening(octets)
