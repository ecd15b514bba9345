from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from missioncontrol.audit.merkle.errors import FormatError
from missioncontrol.client.witness.add_checkpoint import (
    AddCheckpoint,
    format_add_checkpoint,
    parse_add_checkpoint,
)

HASH = "A" * 43 + "="


@given(
    old=st.integers(0, 2**63 - 1),
    proof=st.lists(st.binary(min_size=32, max_size=32), max_size=63),
    checkpoint=st.binary(max_size=200),
)
def test_reads_what_it_wrote(old, proof, checkpoint):
    octets = format_add_checkpoint(old_size=old, proof=proof, checkpoint=checkpoint)
    assert parse_add_checkpoint(octets) == AddCheckpoint(
        old_size=old, proof=tuple(proof), checkpoint=checkpoint
    )


def test_writes_the_form_of_the_standard():
    octets = format_add_checkpoint(old_size=7, proof=[bytes(32)], checkpoint=b"log\n")
    assert octets == f"old 7\n{HASH}\n\nlog\n".encode()


@pytest.mark.parametrize(
    "octets",
    [
        b"",
        b"old 7\n",
        b"\n\nlog\n",
        b"new 7\n\nlog\n",
        b"old  7\n\nlog\n",
        b"old 07\n\nlog\n",
        b"old -1\n\nlog\n",
        b"old 9223372036854775808\n\nlog\n",
        b"old 7\r\n\r\nlog\n",
        b"old 7\nAAAA\n\nlog\n",
        f"old 7\n{HASH[:-2]}B=\n\nlog\n".encode(),
        "old 7\n\N{EM DASH}\n\nlog\n".encode(),
        f"old 7\n{(HASH + chr(10)) * 64}\nlog\n".encode(),
    ],
)
def test_refuses_what_is_not_of_the_form(octets):
    with pytest.raises(FormatError):
        parse_add_checkpoint(octets)
