"""The service's side of the witness call and a member's witness: they must agree."""

from __future__ import annotations

import pytest

from missioncontrol.audit.witness_call import WitnessError, ask_witness, folder_prover
from tests.integration.missioncontrol.client.witness_process import WitnessProcess
from tests.unit.missioncontrol.client.growing_log import VKEY

pytestmark = pytest.mark.once


@pytest.fixture
def witness(tmp_path):
    return WitnessProcess(tmp_path / "member", logs=[VKEY])


@pytest.fixture
def ask(witness, log):
    with witness.running() as process:
        yield lambda log, size, known=0: ask_witness(
            url=f"http://127.0.0.1:{process.port}",
            key=witness.key,
            signed=log.checkpoints[size],
            known_size=known,
            prove=folder_prover(log.folder),
        )


def test_gets_cosignatures_for_a_log_that_grows(ask, log):
    known = 0
    for size in (1, 300, 300, 700):
        assert ask(log.grow_to(size), size, known).line.name == "member.example/w"
        known = size


def test_learns_the_size_that_it_had_forgotten(ask, log):
    ask(log.grow_to(300), 300)
    assert ask(log.grow_to(700), 700, known=12).timestamp_s > 0


def test_gets_no_cosignature_for_a_fork(ask, log, tmp_path):
    ask(log.grow_to(200).grow_to(300), 300)
    fork = log.forked(tmp_path / "fork", size=200).grow_to(700, mark="fork")
    with pytest.raises(WitnessError, match="it saw another history of this log"):
        ask(fork, 700, known=300)
