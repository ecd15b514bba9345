from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from missioncontrol.audit.merkle.errors import FormatError, SignatureError
from missioncontrol.audit.merkle.keys import KeyType, SigningKey, VerifierKey

NAMES = st.text(st.characters(codec="utf-8"), min_size=1, max_size=20).filter(
    lambda name: not any(c == "+" or c.isspace() or c < " " for c in name)
)
VKEY = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"  # C2SP signed-note


class TestVerifierKey:
    def test_reads_and_writes_the_published_keys(self, vectors):
        published = [case["vkey"] for case in vectors["notes"]["published"]]
        derived = vectors["notes"]["derived"]
        for vkey in (*published, derived["log_vkey"], *(w["vkey"] for w in derived["witnesses"])):
            assert VerifierKey.from_vkey(vkey).to_vkey() == vkey

    @pytest.mark.parametrize(
        ("vkey", "message"),
        [
            (VKEY.replace("530d903a", "530d903b"), "has the identifier 530d903a, not 530d903b"),
            (VKEY.replace("foo", "bar"), "has the identifier"),
            (VKEY.replace("530d903a", "530D903A"), "not 8 lower-case hex"),
            (VKEY.replace("530d903a", "530d903"), "not 8 lower-case hex"),
            (VKEY[:-1], "is not base64"),
            (VKEY[:-1] + "l", "has the identifier"),
            ("example.com/foo+530d903a", "has the form <name>"),
            ("+530d903a+" + VKEY.rsplit("+", 1)[1], "not a key name"),
            ("a b+530d903a+" + VKEY.rsplit("+", 1)[1], "not a key name"),
            ("example.com/foo+530d903a+", "type of 'example.com/foo' is missing"),
            ("example.com/foo+530d903a+Av8=", "type of 'example.com/foo' is 0x02"),
            ("example.com/foo+530d903a+Af8=", "has 1 octets; Ed25519 has 32"),
        ],
    )
    def test_refuses_a_key_that_is_not_what_it_says(self, vkey, message):
        with pytest.raises(FormatError, match=message):
            VerifierKey.from_vkey(vkey)

    def test_gives_one_key_another_identifier_for_each_use(self):
        one = VerifierKey(name="a", type=KeyType.ED25519, public_key=bytes(32))
        other = VerifierKey(name="a", type=KeyType.COSIGNATURE_V1, public_key=bytes(32))
        assert one.key_id != other.key_id


class TestSigningKey:
    def test_has_the_public_half_of_the_vectors(self, vectors):
        derived = vectors["notes"]["derived"]
        log = SigningKey(
            name=derived["origin"],
            type=KeyType.ED25519,
            seed=bytes.fromhex(derived["log_seed_hex"]),
        )
        assert log.verifier.to_vkey() == derived["log_vkey"]
        for witness in derived["witnesses"]:
            key = SigningKey(
                name=witness["name"],
                type=KeyType.COSIGNATURE_V1,
                seed=bytes.fromhex(witness["seed_hex"]),
            )
            assert key.verifier.to_vkey() == witness["vkey"]

    @given(name=NAMES, key_type=st.sampled_from(KeyType), seed=st.binary(min_size=32, max_size=32))
    def test_reads_back_what_it_wrote(self, name, key_type, seed):
        key = SigningKey(name=name, type=key_type, seed=seed)
        assert SigningKey.from_skey(key.to_skey()) == key
        assert VerifierKey.from_vkey(key.verifier.to_vkey()) == key.verifier

    def test_signs_what_its_public_half_verifies_and_nothing_else(self):
        key = SigningKey(name="log", type=KeyType.ED25519, seed=b"\x07" * 32)
        signature = key.sign(b"text")
        key.verifier.verify(signature, b"text")
        with pytest.raises(SignatureError, match="The signature of 'log'"):
            key.verifier.verify(signature, b"test")
        with pytest.raises(SignatureError, match="The signature of 'log'"):
            key.verifier.verify(signature[:-1], b"text")

    def test_never_shows_the_seed(self):
        key = SigningKey(name="log", type=KeyType.ED25519, seed=b"SECRET" * 5 + b"!!")
        assert "SECRET" not in repr(key)
        secret = key.to_skey().rsplit("+", 1)[1]
        for broken in (
            secret,
            key.to_skey()[:-3],
            key.to_skey().replace("KEY+log+", "KEY+"),
            key.to_skey().replace("log", "lag"),
            f"PRIVATE+KEY+{secret}+x+y",
        ):
            with pytest.raises(FormatError) as refused:
                SigningKey.from_skey(broken)
            assert secret[:12] not in str(refused.value)

    def test_refuses_a_seed_of_the_wrong_length(self):
        with pytest.raises(FormatError, match="has 31 octets; Ed25519 has 32"):
            SigningKey(name="log", type=KeyType.ED25519, seed=bytes(31))
