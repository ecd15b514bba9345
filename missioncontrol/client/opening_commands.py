"""``mc opening``: check, offline, what an entry of the log was committed to."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from missioncontrol.audit.merkle.hashing import leaf_hash
from missioncontrol.audit.merkle.opening import (
    MAX_OPENING_OCTETS,
    parse_opening,
    verify_opening,
)
from missioncontrol.audit.merkle.text_fields import write_base64
from missioncontrol.audit.merkle.tiles import MAX_ENTRY_OCTETS
from missioncontrol.client.input_files import read_input
from missioncontrol.client.terminal import readable

if TYPE_CHECKING:
    from missioncontrol.client.arguments import Areas


def add_to(areas: Areas) -> None:
    """Add ``mc opening`` to the command line."""
    area = areas.add_parser("opening", help="check the private part of an entry (.opening)")
    commands = area.add_subparsers(required=True, metavar="COMMAND")
    parser = commands.add_parser(
        "verify", help="check that an opening is what its entry was committed to; print it"
    )
    parser.add_argument("opening", type=Path, metavar="FILE")
    parser.add_argument(
        "--entry", type=Path, required=True, metavar="FILE", help="the entry, octet for octet"
    )
    parser.set_defaults(run=_verify)


def _verify(options: argparse.Namespace) -> None:
    opening = parse_opening(read_input(options.opening, limit=MAX_OPENING_OCTETS))
    entry = read_input(options.entry, limit=MAX_ENTRY_OCTETS)
    verify_opening(opening, entry=entry)
    print(readable(opening.payload))
    leaf = write_base64(leaf_hash(entry))
    print(
        f"verified: this is what the entry with the leaf hash {leaf} was committed to; "
        "its receipt proves that it stands in the log"
    )
