"""Two installations publish two histories under one key; 24 witnesses stand between."""

from __future__ import annotations

import random

import pytest

from missioncontrol.audit.merkle.cosignature import require_quorum, verify_cosignatures
from missioncontrol.audit.merkle.errors import QuorumError
from missioncontrol.audit.merkle.receipt import (
    Receipt,
    format_receipt,
    parse_receipt,
    verify_receipt,
)
from missioncontrol.audit.merkle.tiles import TileNodes
from missioncontrol.audit.merkle.tree import inclusion_proof
from missioncontrol.audit.witness_call import WitnessError, ask_witness, folder_prover
from tests.integration.missioncontrol.audit.grown_log import KEY, GrownLog
from tests.integration.missioncontrol.audit.witness_server import witnesses

pytestmark = pytest.mark.once

WITNESSES = 24
PUBLISHED = 13
SETTLED = 17
ROUNDS = 50
COMMON = 5  # entries before the histories part


class Installation:
    """One of the two: a log folder, and what it thinks of the witnesses."""

    def __init__(self, path, name):
        self.name = name
        self.log = GrownLog(path)
        self.known = {}
        self.notes = {}  # size -> note with the cosignatures that came
        self._publish([b'{"common":%d}' % number for number in range(COMMON)])

    def grow(self, chance):
        start = len(self.log.entries)
        count = chance.randint(1, 90)
        self._publish([b'{"%b":%d}' % (self.name.encode(), start + each) for each in range(count)])

    def _publish(self, entries):
        self.head = self.log.append(entries)
        self.notes[self.head.checkpoint.size] = self.head.note

    def ask(self, witness):
        size = self.head.checkpoint.size
        given = ask_witness(
            url=witness.url,
            key=witness.key.verifier,
            signed=self.head,
            known_size=self.known.get(witness.name, 0),
            prove=folder_prover(self.log.folder),
        )
        self.known[witness.name] = size
        self.notes[size] = self.notes[size].with_signatures([given.line])

    def quorums(self, keys, *, quorum=PUBLISHED):
        """Return the sizes, beyond the common entries, that a quorum cosigned."""
        found = []
        for size, note in self.notes.items():
            if size > COMMON and has_quorum(note, keys, quorum=quorum):
                found.append(size)
        return found


def has_quorum(note, keys, *, quorum):
    try:
        require_quorum(verify_cosignatures(note, witnesses=keys), quorum=quorum)
    except QuorumError:
        return False
    return True


@pytest.fixture
def members(tmp_path):
    with witnesses(WITNESSES, tmp_path / "witnesses", log_key=KEY.verifier) as all_of_them:
        yield all_of_them


@pytest.fixture
def forks(tmp_path):
    return [Installation(tmp_path / name, name) for name in ("left", "right")]


class TestForkedLog:
    @pytest.mark.parametrize("seed", [1, 2])
    def test_never_has_two_quorums(self, members, forks, seed):
        chance = random.Random(seed)
        keys = [each.key.verifier for each in members]
        refused = 0
        for _round in range(ROUNDS):
            for fork in forks:
                if chance.random() < 0.7:
                    fork.grow(chance)
            for witness in members:
                witness.mood = "away" if chance.random() < 0.3 else "honest"
            questions = [(fork, witness) for fork in forks for witness in members]
            chance.shuffle(questions)
            for fork, witness in questions:
                try:
                    fork.ask(witness)
                except WitnessError:
                    refused += 1
            assert not all(fork.quorums(keys) for fork in forks)
        assert refused > ROUNDS  # both did try
        for witness in members:  # and each witness stayed with one of the two
            sizes = [each.size for each in witness.cosigned]
            assert sizes == sorted(sizes)
            roots = [{head.checkpoint.root for head in fork.log.heads.values()} for fork in forks]
            taken = {each.root for each in witness.cosigned if each.size > COMMON}
            assert taken <= roots[0] or taken <= roots[1]
        assert all(
            any(note.signatures[1:] for size, note in fork.notes.items() if size > COMMON)
            for fork in forks
        ), "one of the forks found no witness at all: this seed shows nothing"

    def test_has_one_quorum_where_one_witness_colludes_and_two_where_two_do(self, members, forks):
        """2 x 13 - 24 = 2: the quorum withstands one colluder, and it takes two."""
        keys = [each.key.verifier for each in members]
        chance = random.Random(3)
        for fork in forks:
            fork.grow(chance)
        members[0].mood = "colluder"
        for fork, side in zip(forks, (members[:13], [members[0], *members[13:]]), strict=True):
            for witness in side:
                fork.ask(witness)
        assert [bool(fork.quorums(keys)) for fork in forks] == [True, False]
        members[1].mood = "colluder"
        forks[1].ask(members[1])
        assert [bool(fork.quorums(keys)) for fork in forks] == [True, True]
        assert [fork.quorums(keys, quorum=SETTLED) for fork in forks] == [[], []]

    def test_gives_receipts_that_hold_with_a_quorum_and_not_with_one_more(self, members, forks):
        keys = [each.key.verifier for each in members]
        fork = forks[0]
        fork.grow(random.Random(4))
        for witness in members[:SETTLED]:
            fork.ask(witness)
        size = fork.head.checkpoint.size
        nodes = TileNodes(size=size, read_tile=fork.log.folder.read_tile)
        proof = tuple(inclusion_proof(index=7, size=size, read_node=nodes))
        receipt = parse_receipt(
            format_receipt(Receipt(index=7, proof=proof, checkpoint=fork.notes[size].format()))
        )
        trusted = {"origin": KEY.name, "log_keys": [KEY.verifier], "witnesses": keys}
        entry = fork.log.entries[7]
        verified = verify_receipt(receipt, entry=entry, quorum=SETTLED, **trusted)
        assert len(verified.cosignatures) == SETTLED
        with pytest.raises(QuorumError, match="17 distinct witnesses cosigned, 18 are needed"):
            verify_receipt(receipt, entry=entry, quorum=SETTLED + 1, **trusted)
