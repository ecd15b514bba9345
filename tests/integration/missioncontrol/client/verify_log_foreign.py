"""Let others judge: ``make verify-log-foreign``.

Starts an installation of the product, lets it write and serve a log, and asks
the Go program of docs/verify, ``aics-tlog`` and ``aics-witness``. Each must
accept the log as it is and refuse it with one octet changed; theirs and our
witness must each serve the other's client. Ends with one line of JSON.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path

from missioncontrol.audit.log_folder import LogFolder
from missioncontrol.audit.merkle.checkpoint import SignedCheckpoint
from missioncontrol.audit.merkle.cosignature import verify_cosignatures
from missioncontrol.audit.merkle.errors import VerificationError
from missioncontrol.audit.merkle.keys import VerifierKey
from missioncontrol.audit.merkle.note import parse_signature_line
from missioncontrol.audit.merkle.tiles import TileNodes
from missioncontrol.audit.merkle.tree import consistency_proof
from missioncontrol.client.http_log import HttpLog
from missioncontrol.client.log_source import read_head
from missioncontrol.client.mirror import mirror_log
from missioncontrol.client.witness.add_checkpoint import format_add_checkpoint
from tests.integration.missioncontrol.client import go_verifier
from tests.integration.missioncontrol.client.folder_server import FolderServer, serving
from tests.integration.missioncontrol.client.witness_process import ROOT, WitnessProcess, post

HERE = Path(__file__).resolve().parent
STEPS = (299, 0, 1, 400)  # entries appended between the calls of the witnesses


class OpinionError(Exception):
    """An oracle decided otherwise than it must, or could not be asked."""


class Product:
    """One installation's log, as it is served."""

    def __init__(self, process):
        self._process = process
        told = json.loads(self._line())
        self.address, self.token = told["address"], told["token"]
        self.proxy = told["proxy"]  # for programs that cannot show a token
        self.key = VerifierKey.from_vkey(told["vkey"])
        self.source = HttpLog(self.address, token=self.token)

    def grow(self, count):
        self._process.stdin.write(f"{count}\n")
        self._process.stdin.flush()
        return int(self._line())

    def head(self) -> SignedCheckpoint:
        return read_head(self.source, key=self.key, origin=self.key.name).signed

    def request(self, old):
        """Return the request that brings a witness from *old* to the present size."""
        head = self.head()
        size = head.checkpoint.size
        nodes = TileNodes(size=size, read_tile=self.source.read_tile)
        proof = consistency_proof(old=old, new=size, read_node=nodes)
        note = head.note.format()
        return format_add_checkpoint(old_size=old, proof=proof, checkpoint=note), head

    def _line(self):
        line = self._process.stdout.readline()
        if not line:
            raise OpinionError("the installation ended")
        return line


@contextmanager
def product(folder):
    environment = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    process = subprocess.Popen(
        [sys.executable, str(HERE / "product_log.py")],
        cwd=ROOT,
        env={
            **environment,
            "PYTHONPATH": str(ROOT),
            "DJANGO_SETTINGS_MODULE": "missioncontrol.settings",
            "VAR_DIR": str(folder),
            "PYTHONWARNINGS": "ignore:No directory at",  # static files, which nobody asks for
        },
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        try:
            yield Product(process)
        finally:
            process.kill()


class Oracles:
    """The two packages, in a folder of their own."""

    def __init__(self, folder):
        self.folder = folder
        command = (
            "-m pip install --quiet --disable-pip-version-check --no-deps --only-binary :all: "
            "--ignore-requires-python --require-hashes"
        )
        places = ["--target", str(folder), "--requirement", str(HERE / "oracles.txt")]
        self._run([*command.split(), *places])

    def opinion(self, *arguments):
        return self._run([str(HERE / "oracle_opinion.py"), *arguments])

    def witness(self, *arguments):
        return self._run(["-m", "aics_witness", *arguments])

    def environment(self):
        return {**os.environ, "PYTHONPATH": str(self.folder)}

    def _run(self, arguments):
        done = subprocess.run(
            [sys.executable, *arguments],
            env=self.environment(),
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        if done.returncode:
            last = done.stderr.strip().splitlines()[-1:]
            raise OpinionError(f"{' '.join(arguments[:3])}: {''.join(last)}")
        return done.stdout


@contextmanager
def damaged_copies(folder, log):
    """Yield a function that gives copies of the log, each with one octet changed."""
    mirror = LogFolder(folder / "mirror")
    mirror_log(log.source, mirror, key=log.key, origin=log.key.name)

    def copies():
        for file in sorted(mirror.path.rglob("*")):
            name = file.relative_to(mirror.path)
            if name.parts[0] not in {"tile", "checkpoint"} or not file.is_file():
                continue
            copy = folder / "damaged"
            shutil.copytree(mirror.path, copy)
            octets = bytearray(file.read_bytes())
            octets[len(octets) // 2] ^= 1
            (copy / name).write_bytes(octets)
            yield str(name), copy
            shutil.rmtree(copy)

    yield mirror.path, copies


def ask_go(folder, log):
    reason = go_verifier.why_not()
    if reason:
        raise OpinionError(reason)
    program = go_verifier.build(folder)
    vkey = log.key.to_vkey()
    with damaged_copies(folder, log) as (mirror, copies):
        for source in (log.address, mirror):
            status, output, errors = go_verifier.verify(
                program, source, vkey=vkey, index=300, token=log.token
            )
            if status or f"{log.head().checkpoint.size} entries" not in output:
                raise OpinionError(f"Go refuses {source}: {errors}")
        for name, copy in copies():
            if go_verifier.verify(program, copy, vkey=vkey)[0] != 1:
                raise OpinionError(f"Go accepts a log with a changed {name}")


def ask_aics_tlog(folder, log, oracles):
    vkey = log.key.to_vkey()
    size = int(oracles.opinion("log", log.proxy, vkey))
    if size != log.head().checkpoint.size:
        raise OpinionError(f"aics-tlog checked {size} entries")
    with damaged_copies(folder, log) as (_, copies):
        for name, copy in copies():
            with serving(FolderServer(copy)) as server:
                try:
                    oracles.opinion("log", server.address, vkey)
                except OpinionError:
                    continue
                raise OpinionError(f"aics-tlog accepts a log with a changed {name}")


def ask_witnesses(folder, log, oracles):
    ours = WitnessProcess(folder / "ours", logs=[log.key.to_vkey()])
    with ours.running() as process, their_witness(folder, log, oracles) as (port, key):
        old = 0
        for count in STEPS:
            size = log.grow(count)
            lines = oracles.opinion(
                "feed",
                log.proxy,
                log.key.to_vkey(),
                f"http://127.0.0.1:{process.port}",
                ours.key.to_vkey(),
            )
            require_cosigned(log.head(), lines, ours.key)
            body, head = log.request(old)
            status, _, answer = post(port, body)
            if status != 200:
                raise OpinionError(f"aics-witness answers {status}: {answer.decode()}")
            require_cosigned(head, answer.decode(), key)
            old = size
        body, _ = log.request(1)
        answers = [post(each, body) for each in (port, process.port)]
        if answers != [(409, "text/x.tlog.size", f"{old}\n".encode())] * 2:
            raise OpinionError(f"the witnesses differ at a wrong old size: {answers}")


@contextmanager
def their_witness(folder, log, oracles):
    """Run ``aics-witness``; yield its port and key."""
    config = ["--config", str(folder / "witness.json")]
    oracles.witness("init", "--name", "oracle.example/w", *config)
    vkey = oracles.witness("init", *config).split()[-1]
    oracles.witness("add-log", "--origin", log.key.name, "--vkey", log.key.to_vkey(), *config)
    process = subprocess.Popen(
        [sys.executable, "-u", "-m", "aics_witness", "serve", "--listen", "127.0.0.1:0", *config],
        env=oracles.environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    with process:
        try:
            for line in process.stdout:
                _, found, address = line.partition("127.0.0.1:")
                if found:
                    break
            else:
                raise OpinionError("aics-witness does not start")
            yield (
                int("".join(filter(str.isdigit, address.split()[0]))),
                VerifierKey.from_vkey(vkey),
            )
        finally:
            process.kill()


def require_cosigned(head, lines, key):
    parsed = [parse_signature_line(line) for line in lines.splitlines()]
    try:
        found = verify_cosignatures(head.note.with_signatures(parsed), witnesses=[key])
    except VerificationError as fault:
        raise OpinionError(f"the cosignature of {key.name}: {fault}") from fault
    if len(found) != 1:
        raise OpinionError(f"{key.name} did not cosign")


def main():
    opinions = {}
    with tempfile.TemporaryDirectory(prefix="verify-log-foreign-") as name:
        folder = Path(name)
        with product(folder / "installation") as log:
            log.grow(700)
            opinions["go"] = asked(ask_go, made(folder, "go"), log)
            oracles = None
            try:
                oracles = Oracles(made(folder, "oracles"))
            except OpinionError as fault:
                print(f"The oracles cannot be installed: {fault}", file=sys.stderr)
            for opinion, ask in (("aics_tlog", ask_aics_tlog), ("witness", ask_witnesses)):
                opinions[opinion] = oracles is not None and asked(
                    ask, made(folder, opinion), log, oracles
                )
    print(json.dumps(opinions))
    return 0 if all(opinions.values()) else 1


def made(folder, name):
    (folder / name).mkdir()
    return folder / name


def asked(ask, *arguments):
    """Return whether the oracle agrees; say why not."""
    try:
        ask(*arguments)
    except (OpinionError, OSError, subprocess.SubprocessError) as fault:
        print(f"{ask.__name__}: {fault}", file=sys.stderr)
        return False
    return True


if __name__ == "__main__":
    sys.exit(main())
