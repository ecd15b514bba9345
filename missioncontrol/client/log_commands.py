"""``mc log``: verify, mirror, show."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from missioncontrol.audit.log_folder import LogFolder, MissingFileError
from missioncontrol.audit.merkle.checkpoint import (
    Checkpoint,
    SignedCheckpoint,
    open_checkpoint,
    parse_checkpoint_body,
)
from missioncontrol.audit.merkle.errors import FreshnessError, SplitViewError
from missioncontrol.audit.merkle.hashing import leaf_hash
from missioncontrol.audit.merkle.note import MAX_NOTE_OCTETS, parse_note
from missioncontrol.audit.merkle.proofs import verify_inclusion
from missioncontrol.audit.merkle.succession import LogHead
from missioncontrol.audit.merkle.text_fields import write_base64
from missioncontrol.audit.merkle.tiles import (
    TILE_WIDTH,
    EntryBundle,
    TileNodes,
    parse_bundle,
)
from missioncontrol.audit.merkle.tree import inclusion_proof
from missioncontrol.client.arguments import add_log_key, add_token
from missioncontrol.client.errors import UsageError
from missioncontrol.client.input_files import read_input
from missioncontrol.client.kept_checkpoints import KeptCheckpoint, data_folder
from missioncontrol.client.log_source import LogSource, open_source, read_head
from missioncontrol.client.log_verification import refuse_fork, refuse_older, verify_source
from missioncontrol.client.mirror import mirror_log
from missioncontrol.client.progress import ProgressLine
from missioncontrol.client.terminal import readable
from missioncontrol.client.tokens import read_token

if TYPE_CHECKING:
    from missioncontrol.client.arguments import Areas

_SHOWN_ENTRIES: Final = 10


def add_to(areas: Areas) -> None:
    """Add ``mc log`` to the command line."""
    area = areas.add_parser("log", help="check and copy the consortium log")
    commands = area.add_subparsers(required=True, metavar="COMMAND")
    _add_verify(commands)
    _add_mirror(commands)
    _add_show(commands)


def _add_verify(commands: Areas) -> None:
    parser = commands.add_parser(
        "verify",
        help="check signature, every entry, every tile, the root, and that history goes on",
    )
    parser.add_argument("source", metavar="SOURCE", help="a log's folder or http(s) address")
    add_log_key(parser)
    add_token(parser)
    parser.add_argument(
        "--from-checkpoint",
        type=Path,
        metavar="FILE",
        help="an earlier checkpoint, from another member perhaps, that the log must continue",
    )
    parser.add_argument(
        "--state",
        type=Path,
        metavar="DIR",
        help="where the last verified checkpoint is kept; default: %(default)s",
        default=data_folder() / "logs",
    )
    parser.set_defaults(run=_verify)


def _add_mirror(commands: Areas) -> None:
    parser = commands.add_parser(
        "mirror", help="bring a verified copy up to date, fetching only what is new"
    )
    parser.add_argument("source", metavar="URL", help="a log's http(s) address, or a folder")
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="the copy")
    add_log_key(parser)
    add_token(parser)
    parser.set_defaults(run=_mirror)


def _add_show(commands: Areas) -> None:
    parser = commands.add_parser("show", help="print the state of a copy, or one entry of it")
    parser.add_argument("folder", type=Path, metavar="FOLDER")
    parser.add_argument("--index", type=int, metavar="N", help="this entry, with its proof")
    add_log_key(parser, required=False)
    parser.set_defaults(run=_show)


def _verify(options: argparse.Namespace) -> None:
    origin = options.origin or options.vkey.name
    source = open_source(options.source, token=read_token(options))
    kept = KeptCheckpoint(options.state, key=options.vkey, origin=origin)
    mine = kept.read()
    head = read_head(source, key=options.vkey, origin=origin)
    known = [*([("this computer", mine)] if mine else []), *_given(options, head)]
    try:
        for kept_by, earlier in known:
            refuse_older(earlier.checkpoint, head.checkpoint, kept_by=kept_by)
        with ProgressLine(sys.stderr) as progress:
            found = verify_source(
                source, head=head.checkpoint, earlier=head.earlier, progress=progress
            )
        for kept_by, earlier in known:
            refuse_fork(earlier.checkpoint, found.checkpoint, source=source, kept_by=kept_by)
    except (FreshnessError, SplitViewError) as fault:
        file = kept.keep_evidence(head.signed)
        raise type(fault)(
            f"{fault} The log's checkpoint is kept as evidence in {file}."
        ) from fault
    # Under each of its keys: whoever goes over to the new one is not at a beginning again.
    for key in head.keys:
        KeptCheckpoint(options.state, key=key, origin=origin).keep(head)
    continued = ", ".join(
        f"continues size {earlier.checkpoint.size} of {kept_by}" for kept_by, earlier in known
    )
    print(
        f"verified: {_state(found.checkpoint)}, {found.bundles} bundles, {found.tiles} tiles, "
        f"signed by {_signers(head)}; {continued or 'first checkpoint kept'}"
    )


def _given(options: argparse.Namespace, head: LogHead) -> list[tuple[str, SignedCheckpoint]]:
    """Return (who kept it, checkpoint) of what the log must continue besides."""
    if options.from_checkpoint is None:
        return []
    octets = read_input(options.from_checkpoint, limit=MAX_NOTE_OCTETS)
    origin = head.checkpoint.origin
    given = open_checkpoint(octets, origin=origin, log_keys=head.keys)
    return [(str(options.from_checkpoint), given)]


def _signers(head: LogHead) -> str:
    """Return the keys that signed, for people; one that was followed is said to be."""
    shown = ", ".join(f"{key.name}+{key.key_id.hex()}" for key in head.signers)
    first = head.keys[0]
    if first in head.signers:
        return shown
    return f"{shown}, announced by {first.name}+{first.key_id.hex()}: {head.keys[-1].to_vkey()}"


def _mirror(options: argparse.Namespace) -> None:
    source = open_source(options.source, token=read_token(options))
    with ProgressLine(sys.stderr) as progress:
        done = mirror_log(
            source,
            LogFolder(options.folder),
            key=options.vkey,
            origin=options.origin or options.vkey.name,
            progress=progress,
        )
    head = done.checkpoint
    print(
        f"mirrored: {_state(head)}, {head.size - done.old_size} new entries, in {options.folder}"
    )


def _show(options: argparse.Namespace) -> None:
    source = open_source(str(options.folder))
    head = _head_to_show(source, options)
    if options.index is None:
        print(_state(head))
        for index in range(max(0, head.size - _SHOWN_ENTRIES), head.size):
            print(f"{index}: {readable(_entry(source, index, head.size))}")
        return
    if not 0 <= options.index < head.size:
        raise UsageError(f"The log has entries 0 to {head.size - 1}; there is no {options.index}.")
    _show_entry(source, options.index, head)


def _head_to_show(source: LogSource, options: argparse.Namespace) -> Checkpoint:
    if options.vkey is not None:
        origin = options.origin or options.vkey.name
        return read_head(source, key=options.vkey, origin=origin).checkpoint
    print("mc: without --vkey the signature is not checked.", file=sys.stderr)
    octets = source.read_checkpoint()
    if octets is None:
        raise MissingFileError(f"There is no checkpoint in {options.folder}.")
    return parse_checkpoint_body(parse_note(octets).text)


def _show_entry(source: LogSource, index: int, head: Checkpoint) -> None:
    entry = _entry(source, index, head.size)
    nodes = TileNodes(size=head.size, read_tile=source.read_tile)
    proof = inclusion_proof(index=index, size=head.size, read_node=nodes)
    leaf = leaf_hash(entry)
    verify_inclusion(leaf=leaf, index=index, size=head.size, proof=proof, root=head.root)
    print(readable(entry))
    print(f"entry {index} of {head.size}, leaf hash {write_base64(leaf)}")
    for at, value in enumerate(proof):
        print(f"proof {at}: {write_base64(value)}")
    print(f"root {write_base64(head.root)}: the proof leads there")


def _entry(source: LogSource, index: int, size: int) -> bytes:
    number, offset = divmod(index, TILE_WIDTH)
    bundle = EntryBundle(number, min(TILE_WIDTH, size - number * TILE_WIDTH))
    return parse_bundle(source.read_bundle(bundle), bundle=bundle)[offset]


def _state(head: Checkpoint) -> str:
    return f"log {head.origin}, {head.size} entries, root {write_base64(head.root)}"
