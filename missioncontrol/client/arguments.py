"""Arguments that several commands take."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from missioncontrol.audit.merkle.errors import FormatError
from missioncontrol.audit.merkle.keys import KeyType, VerifierKey
from missioncontrol.client.tokens import TOKEN_VARIABLE

if TYPE_CHECKING:
    Areas = argparse._SubParsersAction[argparse.ArgumentParser]


def log_key(text: str) -> VerifierKey:
    """Return the key of a log, for argparse."""
    return _key(text, KeyType.ED25519, "a log's (type 0x01)")


def witness_key(text: str) -> VerifierKey:
    """Return the key of a witness, for argparse."""
    return _key(text, KeyType.COSIGNATURE_V1, "a witness's (type 0x04)")


def add_log_key(parser: argparse.ArgumentParser, *, required: bool = True) -> None:
    """Let a command take the log's key and name."""
    parser.add_argument(
        "--vkey",
        type=log_key,
        required=required,
        metavar="KEY",
        help="the log's public key, <name>+<id>+<base64>, from a source that you trust",
    )
    parser.add_argument(
        "--origin", help="the log's name, first line of its checkpoint; default: the key's name"
    )


def add_token(parser: argparse.ArgumentParser) -> None:
    """Let a command show a token to the server that it reads from (see ``tokens``)."""
    parser.add_argument(
        "--token-file",
        type=Path,
        metavar="FILE",
        help=f"the token to show to the server, mode 0600; default: the variable {TOKEN_VARIABLE}",
    )


def _key(text: str, key_type: KeyType, kind: str) -> VerifierKey:
    try:
        key = VerifierKey.from_vkey(text.strip())
    except FormatError as fault:
        raise argparse.ArgumentTypeError(str(fault)) from fault
    if key.type is not key_type:
        raise argparse.ArgumentTypeError(
            f"the key of {key.name} is of type 0x{key.type:02x}, not {kind}"
        )
    return key
