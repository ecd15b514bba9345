from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from missioncontrol.audit.merkle.canonical import canonical_entry
from missioncontrol.audit.merkle.checkpoint import sign_checkpoint
from missioncontrol.audit.merkle.errors import (
    FormatError,
    FreshnessError,
    OriginError,
    SignatureError,
    VerificationError,
)
from missioncontrol.audit.merkle.keys import KeyType, SigningKey
from missioncontrol.audit.merkle.receipt import format_receipt, parse_receipt
from missioncontrol.audit.merkle.succession import (
    ANNOUNCE,
    KeyChange,
    open_head,
    read_announcement,
    read_key_change,
)
from tests.unit.missioncontrol.client.growing_log import (
    KEY,
    NEXT,
    THIRD,
    GrowingLog,
    announcing,
)

STRANGER = SigningKey(name=KEY.name, type=KeyType.ED25519, seed=b"s" * 32)


@pytest.fixture
def log(tmp_path):
    return GrowingLog(tmp_path / "log").grow_to(300)


@pytest.fixture(scope="module")
def announcement(tmp_path_factory):
    folder = tmp_path_factory.mktemp("log") / "log"
    return GrowingLog(folder).grow_to(2).announce(NEXT).announcement()


def opened(log, key=KEY, octets=None):
    return open_head(
        octets or log.folder.read_checkpoint(),
        origin=KEY.name,
        key=key.verifier,
        read_announcement_of=log.folder.read_announcement,
    )


class TestOpenHead:
    def test_reads_no_announcement_while_the_key_it_knows_signs(self, log):
        def nothing_to_follow(key):
            raise AssertionError(key)

        log.announce(NEXT).grow_to(400)
        for key in (KEY, NEXT):
            head = open_head(
                log.folder.read_checkpoint(),
                origin=KEY.name,
                key=key.verifier,
                read_announcement_of=nothing_to_follow,
            )
            assert (head.keys, head.earlier, head.signers) == ((key.verifier,), (), head.keys)

    def test_follows_the_old_key_s_announcement_to_the_new_one(self, log):
        log.announce(NEXT).grow_to(400).retire().grow_to(500)
        head = opened(log)
        assert head.checkpoint.size == 500
        assert head.keys == (KEY.verifier, NEXT.verifier)
        assert head.signers == (NEXT.verifier,)
        assert head.earlier == (log.checkpoints[301].checkpoint,)

    def test_follows_from_key_to_key_as_far_as_it_takes(self, log):
        log.announce(NEXT).retire().grow_to(400).announce(THIRD).retire().grow_to(500)
        head = opened(log)
        assert head.keys == (KEY.verifier, NEXT.verifier, THIRD.verifier)
        assert [each.size for each in head.earlier] == [301, 401]
        assert opened(log, NEXT).keys == (NEXT.verifier, THIRD.verifier)

    def test_refuses_a_key_that_was_not_announced(self, log):
        head = log.checkpoints[300].checkpoint
        stolen = sign_checkpoint(head, key=STRANGER).note.format()
        with pytest.raises(SignatureError, match="No trusted key signed"):
            opened(log, octets=stolen)
        log.announce(NEXT).retire().grow_to(400)
        with pytest.raises(SignatureError, match="No trusted key signed"):
            opened(log, octets=stolen)

    def test_refuses_a_key_that_announced_itself(self, log):
        """A stranger can write any log; only what the old key signed leads on."""
        thief = GrowingLog(log.path.with_name("thief"), key=STRANGER).grow_to(300)
        thief.append([announcing(KEY, STRANGER)])
        thief.folder.write_announcement(KEY.verifier, thief.announcement())
        with pytest.raises(SignatureError, match="No trusted key signed"):
            opened(thief)

    def test_refuses_to_go_from_a_new_key_to_an_old_one(self, log):
        log.announce(NEXT).retire().grow_to(400)
        with pytest.raises(SignatureError, match="No trusted key signed"):
            opened(log, NEXT, octets=log.checkpoints[300].note.format())

    def test_refuses_a_new_key_on_an_older_state_than_its_announcement(self, log):
        before = log.checkpoints[300].checkpoint
        log.announce(NEXT).retire().grow_to(400)
        with pytest.raises(
            FreshnessError, match="has size 300; its key was announced at size 301"
        ):
            opened(log, octets=sign_checkpoint(before, key=NEXT).note.format())

    def test_ends_where_announcements_lead_round_in_a_circle(self, log):
        log.announce(NEXT).retire().append([announcing(NEXT, KEY)])
        log.folder.write_announcement(NEXT.verifier, log.announcement())
        stolen = sign_checkpoint(log.checkpoints[302].checkpoint, key=STRANGER).note.format()
        with pytest.raises(SignatureError, match="No trusted key signed"):
            opened(log, octets=stolen)

    def test_refuses_a_wrong_signature_of_either_key(self, log):
        log.announce(NEXT).grow_to(400)
        note = log.checkpoints[400].note
        for at in (0, 1):
            lines = list(note.signatures)
            payload = lines[at].payload
            lines[at] = replace(lines[at], payload=payload[:-1] + bytes([payload[-1] ^ 1]))
            octets = replace(note, signatures=tuple(lines)).format()
            with pytest.raises(SignatureError, match="is wrong"):
                opened(log, (KEY, NEXT)[at], octets=octets)


class TestReadAnnouncement:
    def test_returns_the_successor_and_what_its_log_must_continue(self, log):
        log.announce(NEXT)
        found = read_announcement(log.announcement(), old=KEY.verifier, origin=KEY.name)
        assert found.key == NEXT.verifier
        assert found.checkpoint == log.checkpoints[301].checkpoint

    def test_refuses_the_announcement_of_another_key(self, log):
        log.announce(NEXT).retire().announce(THIRD)
        octets = log.announcement()
        with pytest.raises(SignatureError, match="No trusted key signed"):
            read_announcement(octets, old=KEY.verifier, origin=KEY.name)

    def test_refuses_what_the_old_key_signed_beside_the_new_one_about_another(self, log):
        """While both sign, an entry about a third key speaks for its own predecessor only."""
        log.announce(NEXT)
        log.append([announcing(NEXT, THIRD)])
        with pytest.raises(FormatError, match="The announcement is by "):
            read_announcement(log.announcement(), old=KEY.verifier, origin=KEY.name)

    def test_refuses_another_log_s(self, log):
        log.announce(NEXT)
        with pytest.raises(OriginError):
            read_announcement(log.announcement(), old=KEY.verifier, origin="log.example/other")

    def test_refuses_a_receipt_without_its_entry(self, log):
        log.announce(NEXT)
        bare = format_receipt(replace(parse_receipt(log.announcement()), extra=None))
        with pytest.raises(FormatError, match="does not hold its entry"):
            read_announcement(bare, old=KEY.verifier, origin=KEY.name)

    @given(data=st.data())
    def test_refuses_any_changed_bit(self, announcement, data):
        octets = bytearray(announcement)
        at = data.draw(st.integers(0, len(octets) - 1))
        octets[at] ^= 1 << data.draw(st.integers(0, 7))
        with pytest.raises(VerificationError):
            read_announcement(bytes(octets), old=KEY.verifier, origin=KEY.name)

    @given(octets=st.binary(max_size=200))
    def test_never_fails_on_noise_but_by_refusing(self, octets):
        with pytest.raises(VerificationError):
            read_announcement(octets, old=KEY.verifier, origin=KEY.name)


def vkey(**fields):
    values = {"name": KEY.name, "type": KeyType.ED25519, "seed": b"n" * 32, **fields}
    return SigningKey(**values).verifier.to_vkey()


class TestReadKeyChange:
    def test_returns_what_the_entry_says(self):
        assert read_key_change(announcing(KEY, NEXT)) == KeyChange(
            old=KEY.verifier, new=NEXT.verifier
        )

    @pytest.mark.parametrize(
        ("content", "text"),
        [
            ({}, f"{ANNOUNCE} announces a key"),
            ({"action": ANNOUNCE}, "announces a key"),
            ({"action": ANNOUNCE, "details": 7}, "announces a key"),
            ({"action": "log.key.retire", "details": {}}, "The entry is of 'log.key.retire'"),
            ({"action": ANNOUNCE, "details": {}}, "has the form <name>"),
            (
                {"action": ANNOUNCE, "details": {"old": vkey(), "new": vkey(name="b.example/l")}},
                "cannot follow",
            ),
            ({"action": ANNOUNCE, "details": {"old": vkey(), "new": vkey()}}, "cannot follow"),
            (
                {
                    "action": ANNOUNCE,
                    "details": {
                        "old": vkey(seed=b"o" * 32),
                        "new": vkey(type=KeyType.COSIGNATURE_V1),
                    },
                },
                "keys of type 0x01 only",
            ),
        ],
    )
    def test_refuses_what_announces_nothing(self, content, text):
        with pytest.raises(FormatError, match=text):
            read_key_change(canonical_entry(content))
