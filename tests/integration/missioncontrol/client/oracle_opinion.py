"""A program for tests: what ``aics-tlog`` and the client of ``aics-witness`` say.

Run with the folder of the oracles on PYTHONPATH; imports nothing of ours.

    oracle_opinion.py log ADDRESS VKEY          checks the whole log; prints its size
    oracle_opinion.py feed ADDRESS VKEY WITNESS WITNESS_VKEY
                                                brings the log's checkpoint to a witness
"""

from __future__ import annotations

import sys
import urllib.request

from aics_tlog import (
    HttpTileReader,
    VerifiedTileReader,
    audit_tiles,
    consistency_proof_from_tiles,
    parse_checkpoint,
    parse_note,
    parse_vkey,
    verify_checkpoint,
)


def head(address, vkey):
    with urllib.request.urlopen(f"{address}/checkpoint") as answer:
        octets = answer.read()
    key = parse_vkey(vkey)
    found = verify_checkpoint(parse_note(octets), key, expected_origin=key.name)
    if not found.log_ok or found.error:
        sys.exit(f"checkpoint: {found.error}")
    return octets, parse_checkpoint(parse_note(octets).text)


def check_log(address, vkey):
    _, checkpoint = head(address, vkey)
    report = audit_tiles(HttpTileReader(address), checkpoint.size, checkpoint.root)
    print(report.size)


def feed(address, vkey, witness, witness_vkey):
    from aics_witness.feeder import WitnessClient

    octets, checkpoint = head(address, vkey)
    tiles = VerifiedTileReader(HttpTileReader(address), checkpoint.size, checkpoint.root)
    with WitnessClient(witness, witness_vkey) as client:
        lines = client.submit(
            octets, lambda old, new: consistency_proof_from_tiles(tiles, old, new)
        )
    print(lines, end="")


{"log": check_log, "feed": feed}[sys.argv[1]](*sys.argv[2:])
