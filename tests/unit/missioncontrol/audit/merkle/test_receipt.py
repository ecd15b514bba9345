from __future__ import annotations

from base64 import b64encode
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from missioncontrol.audit.merkle.errors import (
    FormatError,
    OriginError,
    ProofError,
    QuorumError,
    SignatureError,
)
from missioncontrol.audit.merkle.keys import VerifierKey
from missioncontrol.audit.merkle.receipt import (
    Receipt,
    format_receipt,
    parse_receipt,
    verify_receipt,
)

HASHES = st.binary(min_size=32, max_size=32)
HASH_LINE = b64encode(bytes(32)).decode()
HEADER = "c2sp.org/tlog-proof@v1"


@pytest.fixture
def policy(vectors):
    derived = vectors["notes"]["derived"]
    return {
        "origin": derived["origin"],
        "log_keys": [VerifierKey.from_vkey(derived["log_vkey"])],
        "witnesses": [VerifierKey.from_vkey(each["vkey"]) for each in derived["witnesses"]],
    }


@pytest.fixture
def entry(vectors):
    return bytes.fromhex(vectors["tree8_published"]["leaves_hex"][5])


@pytest.fixture
def receipt(vectors):
    return parse_receipt(vectors["tlog_proof_derived"].encode())


class TestReceiptText:
    def test_reads_and_writes_the_receipt_of_the_vectors(self, vectors, receipt):
        assert (receipt.index, len(receipt.proof), receipt.extra) == (5, 3, None)
        assert format_receipt(receipt) == vectors["tlog_proof_derived"].encode()

    @given(
        index=st.integers(0, 2**63 - 1),
        proof=st.lists(HASHES, max_size=63).map(tuple),
        checkpoint=st.binary(max_size=100),
        extra=st.none() | st.binary(max_size=100),
    )
    def test_reads_back_every_receipt(self, index, proof, checkpoint, extra):
        made = Receipt(index=index, proof=proof, checkpoint=checkpoint, extra=extra)
        assert parse_receipt(format_receipt(made)) == made

    @given(octets=st.binary(max_size=60))
    def test_refuses_noise_or_writes_it_back_exactly(self, octets):
        octets = HEADER.encode() + b"\n" + octets
        try:
            read = parse_receipt(octets)
        except FormatError:
            return
        assert format_receipt(read) == octets

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("", "no empty line"),
            (f"{HEADER}\nindex 5\n{HASH_LINE}\n", "no empty line"),
            ("c2sp.org/tlog-proof@v2\nindex 5\n\n", "not with c2sp.org/tlog-proof@v1"),
            (f"{HEADER}\r\nindex 5\r\n\n", "not with c2sp.org/tlog-proof@v1"),
            (f"{HEADER}\n\n", "no index line"),
            (f"{HEADER}\n{HASH_LINE}\n\n", "no index line"),
            (f"{HEADER}\nextra AA==\n\n", "no index line"),
            (f"{HEADER}\nindex 5\nextra AA==\n\n", "Hash 0 of the receipt's proof is not base64"),
            (f"{HEADER}\nextra A\nindex 5\n\n", "extra data is not base64"),
            (f"{HEADER}\nindex 05\n\n", "The receipt's index is '05'"),
            (f"{HEADER}\nindex -1\n\n", "The receipt's index is '-1'"),
            (f"{HEADER}\nindex 5\nAAAA\n\n", "Hash 0 of the receipt's proof has 3 octets"),
            (f"{HEADER}\nindex 5\n" + f"{HASH_LINE}\n" * 64 + "\n", "64 hashes; the limit is 63"),
            (f"{HEADER}\nindex 5\né\n\n", "not ASCII at octet"),
            ("x" * 1_100_001, "1100001 octets; the limit is 1100000"),
        ],
    )
    def test_refuses_what_is_not_a_receipt(self, text, message):
        with pytest.raises(FormatError, match=message):
            parse_receipt(text.encode())

    def test_refuses_to_write_what_could_not_be_read(self):
        for wrong in (
            Receipt(index=-1, proof=(), checkpoint=b""),
            Receipt(index=1, proof=(b"short",), checkpoint=b""),
        ):
            with pytest.raises(FormatError):
                format_receipt(wrong)


class TestVerifyReceipt:
    def test_accepts_the_receipt_of_the_vectors(self, receipt, entry, policy):
        verified = verify_receipt(receipt, entry=entry, quorum=3, **policy)
        assert (verified.index, verified.checkpoint.size) == (5, 8)
        assert [each.timestamp_s for each in verified.cosignatures] == [
            1790000000,
            1790000001,
            1790000002,
        ]

    def test_relies_on_the_log_alone_when_no_quorum_is_asked(self, receipt, entry, policy):
        verified = verify_receipt(
            receipt, entry=entry, origin=policy["origin"], log_keys=policy["log_keys"]
        )
        assert verified.cosignatures == ()

    def test_refuses_another_entry_index_or_way(self, receipt, entry, policy):
        for changed, octets in (
            (receipt, entry + b"!"),
            (replace(receipt, index=4), entry),
            (replace(receipt, index=8), entry),
            (replace(receipt, proof=receipt.proof[::-1]), entry),
        ):
            with pytest.raises(ProofError):
                verify_receipt(changed, entry=octets, **policy)

    def test_refuses_more_witnesses_than_signed(self, receipt, entry, policy):
        with pytest.raises(QuorumError, match="3 distinct witnesses cosigned, 4 are needed"):
            verify_receipt(receipt, entry=entry, quorum=4, **policy)

    def test_refuses_another_log_and_a_changed_checkpoint(self, receipt, entry, policy):
        with pytest.raises(OriginError):
            verify_receipt(receipt, entry=entry, **{**policy, "origin": "other"})
        larger = replace(receipt, checkpoint=receipt.checkpoint.replace(b"\n8\n", b"\n9\n"))
        with pytest.raises(SignatureError):
            verify_receipt(larger, entry=entry, **policy)
