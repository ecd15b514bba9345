"""``mc witness``: make a witness's key and run it."""

from __future__ import annotations

import argparse
import secrets
import signal
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from missioncontrol.audit.merkle.errors import FormatError
from missioncontrol.audit.merkle.keys import SEED_OCTETS, KeyType, SigningKey
from missioncontrol.client.arguments import add_token, log_key
from missioncontrol.client.durable_files import SECRET, make_folder, write_file
from missioncontrol.client.errors import UsageError
from missioncontrol.client.input_files import read_secret
from missioncontrol.client.kept_checkpoints import data_folder
from missioncontrol.client.log_source import open_source
from missioncontrol.client.tokens import read_token
from missioncontrol.client.witness.following import follow_keys
from missioncontrol.client.witness.ledger import Ledger
from missioncontrol.client.witness.server import WitnessServer
from missioncontrol.client.witness.witness import Witness

if TYPE_CHECKING:
    from missioncontrol.client.arguments import Areas

_MAX_KEY_OCTETS = 4096


def add_to(areas: Areas) -> None:
    """Add ``mc witness`` to the command line."""
    area = areas.add_parser("witness", help="cosign logs")
    commands = area.add_subparsers(required=True, metavar="COMMAND")
    make = commands.add_parser("init", help="make a key and its ledger; print the public key")
    make.add_argument("--name", required=True, help="yours for ever, e.g. member.example/witness")
    _add_places(make)
    make.set_defaults(run=_init)
    run = commands.add_parser("run", help="serve POST /add-checkpoint until stopped")
    _add_places(run)
    run.add_argument(
        "--log",
        type=log_key,
        action="append",
        required=True,
        metavar="VKEY",
        help="a log to cosign, by its public key; give it once for each",
    )
    run.add_argument(
        "--follow",
        action="append",
        default=[],
        metavar="SOURCE",
        help="a log's address or folder, in which to look for its next key now and then",
    )
    add_token(run)
    run.add_argument(
        "--listen",
        type=_address,
        default=("127.0.0.1", 18450),
        metavar="HOST:PORT",
        help="default: 127.0.0.1:18450; port 0 takes any",
    )
    run.set_defaults(run=_run)


def _add_places(parser: argparse.ArgumentParser) -> None:
    home = data_folder() / "witness"
    parser.add_argument(
        "--state",
        type=Path,
        default=home / "ledger",
        metavar="DIR",
        help="the ledger; default: %(default)s",
    )
    parser.add_argument(
        "--key",
        type=Path,
        default=home / "key",
        metavar="FILE",
        help="the secret key; default: %(default)s",
    )


def _init(options: argparse.Namespace) -> None:
    if options.key.exists():
        raise UsageError(f"{options.key} exists. A witness keeps its key; name another file.")
    try:
        key = SigningKey(
            name=options.name,
            type=KeyType.COSIGNATURE_V1,
            seed=secrets.token_bytes(SEED_OCTETS),
        )
    except FormatError as fault:
        raise UsageError(str(fault)) from fault
    # The ledger first: a key never lies about that could be used without one.
    Ledger(options.state).create(key.verifier)
    make_folder(options.key.parent)
    write_file(options.key, f"{key.to_skey()}\n".encode(), mode=SECRET)
    print(key.verifier.to_vkey())


def _run(options: argparse.Namespace) -> None:
    key = _read_key(options.key)
    token = read_token(options)
    sources = [open_source(text, token=token) for text in options.follow]
    ledger = Ledger(options.state)
    with ledger.opened(key.verifier):
        witness = Witness(key=key, logs=options.log, ledger=ledger)
        with WitnessServer(options.listen, witness) as server:
            _stop_on_signals(server)  # before anybody is told that it runs
            host, port = server.server_address[:2]
            print(key.verifier.to_vkey(), flush=True)
            for origin, size in witness.latest().items():
                print(f"log {origin}: last cosigned size {size}", flush=True)
            print(f"listening on {_show_address(str(host), port)}", flush=True)
            if sources:
                threading.Thread(target=follow_keys, args=(witness, sources), daemon=True).start()
            server.serve_forever(poll_interval=0.2)
    print("mc: the witness has stopped.", file=sys.stderr)


def _stop_on_signals(server: WitnessServer) -> None:
    def stop(*_arguments: object) -> None:
        # shutdown() waits for the loop, which this thread runs: ask from another.
        threading.Thread(target=server.shutdown, daemon=True).start()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)


def _read_key(file: Path) -> SigningKey:
    octets = read_secret(file, limit=_MAX_KEY_OCTETS)
    try:
        return SigningKey.from_skey(octets.decode("utf-8").strip())
    except (FormatError, UnicodeDecodeError) as fault:
        raise UsageError(f"{file} holds no witness key: {fault}") from fault


def _address(text: str) -> tuple[str, int]:
    parts = urlsplit(f"//{text}")
    try:
        port = parts.port
    except ValueError:
        port = None
    if not parts.hostname or port is None:
        raise argparse.ArgumentTypeError(f"{text} is not HOST:PORT, e.g. 127.0.0.1:18450")
    return parts.hostname, port


def _show_address(host: str, port: int) -> str:
    return f"http://[{host}]:{port}/" if ":" in host else f"http://{host}:{port}/"
