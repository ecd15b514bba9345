"""``mc receipt``: check, offline, that an entry stands in the log."""

from __future__ import annotations

import argparse
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from missioncontrol.audit.merkle.cosignature import Cosignature
from missioncontrol.audit.merkle.keys import VerifierKey
from missioncontrol.audit.merkle.receipt import (
    MAX_RECEIPT_OCTETS,
    parse_receipt,
    verify_receipt,
)
from missioncontrol.audit.merkle.succession import read_announcement
from missioncontrol.audit.merkle.text_fields import write_base64
from missioncontrol.audit.merkle.tiles import MAX_ENTRY_OCTETS
from missioncontrol.client.arguments import add_log_key, witness_key
from missioncontrol.client.errors import UsageError
from missioncontrol.client.input_files import read_input

if TYPE_CHECKING:
    from missioncontrol.client.arguments import Areas


def add_to(areas: Areas) -> None:
    """Add ``mc receipt`` to the command line."""
    area = areas.add_parser("receipt", help="check receipts (.tlog-proof)")
    commands = area.add_subparsers(required=True, metavar="COMMAND")
    parser = commands.add_parser("verify", help="check one receipt with its entry")
    parser.add_argument("receipt", type=Path, metavar="FILE")
    parser.add_argument(
        "--entry", type=Path, required=True, metavar="FILE", help="the entry, octet for octet"
    )
    add_log_key(parser)
    parser.add_argument(
        "--announcement",
        type=Path,
        action="append",
        default=[],
        metavar="FILE",
        help="the log's file keys/ID that leads from the key given to its successor, and so on",
    )
    parser.add_argument(
        "--witness",
        type=witness_key,
        action="append",
        default=[],
        metavar="VKEY",
        help="a witness that you know; give it once for each",
    )
    parser.add_argument(
        "--quorum",
        type=int,
        metavar="N",
        help="how many of them must have cosigned; default: all that are given",
    )
    parser.set_defaults(run=_verify)


def _verify(options: argparse.Namespace) -> None:
    witnesses = options.witness
    known = len({key.public_key for key in witnesses})
    quorum = known if options.quorum is None else options.quorum
    if not 0 <= quorum <= known:
        raise UsageError(f"A quorum of {quorum} cannot be met by the {known} witnesses given.")
    found = verify_receipt(
        parse_receipt(read_input(options.receipt, limit=MAX_RECEIPT_OCTETS)),
        entry=read_input(options.entry, limit=MAX_ENTRY_OCTETS),
        origin=_origin(options),
        log_keys=_log_keys(options),
        witnesses=witnesses,
        quorum=quorum,
    )
    head = found.checkpoint
    print(
        f"verified: entry {found.index} of log {head.origin} at {head.size} entries, "
        f"root {write_base64(head.root)}; {len(found.cosignatures)} witnesses cosigned, "
        f"{quorum} needed"
    )
    for cosignature in found.cosignatures:
        print(_cosigned(cosignature))


def _origin(options: argparse.Namespace) -> str:
    return options.origin or str(options.vkey.name)


def _log_keys(options: argparse.Namespace) -> list[VerifierKey]:
    """Return the key given and those that announcements lead to from there."""
    keys = [options.vkey]
    for file in options.announcement:
        octets = read_input(file, limit=MAX_RECEIPT_OCTETS)
        keys.append(read_announcement(octets, old=keys[-1], origin=_origin(options)).key)
    return keys


def _cosigned(cosignature: Cosignature) -> str:
    try:
        at = f"{datetime.fromtimestamp(cosignature.timestamp_s, UTC):%Y-%m-%dT%H:%M:%SZ}"
    except (ValueError, OverflowError):  # a signed time beyond the calendar
        at = f"second {cosignature.timestamp_s}"
    return f"cosigned: {cosignature.witness.name} at {at}"
