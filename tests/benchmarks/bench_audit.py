"""What the consortium log costs: `make bench-audit`. Not a part of the test suite.

The last line is JSON:

* ``tx_per_s_postgresql``, ``tx_per_s_sqlite``: transactions of one audit entry
  each, through the ORM, from 8 processes at once, the sequencer running beside;
* ``publish_p99_ms``: from the commit of an entry until the checkpoint file that
  covers it is there, at a steady 50 entries a second;
* ``quorum_p99_ms``: the same until the entry's checkpoint has 13 cosignatures of
  24 witnesses (a process of 24 servers on loopback; each flushes to the disk);
* ``verify_1m_s``: checking 1,000,000 entries against their checkpoint;
* ``proof_1m_ms``: an inclusion proof from a tree of that size, tiles read from
  the disk, median of 200.

PARTS names what is measured: writers, latency, pure; default: all.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
AT = datetime(2026, 12, 1, tzinfo=UTC)
WRITERS = 8
WRITING_S = float(os.environ.get("WRITING_S", "10"))
LATENCY_ENTRIES = 500
RATE_PER_S = 50
ENTRIES = int(os.environ.get("ENTRIES", "1000000"))
WITNESSES, QUORUM = 24, 13


def main() -> None:
    """Measure the parts asked for, or be one of the processes that they start."""
    if len(sys.argv) > 1:
        ROLES[sys.argv[1]](*sys.argv[2:])
        return
    parts = os.environ.get("PARTS", "writers,latency,pure").split(",")
    figures: dict[str, float] = {}
    with tempfile.TemporaryDirectory(prefix="bench-audit-") as folder:
        if "writers" in parts:
            figures["tx_per_s_postgresql"] = on_postgresql("writers", Path(folder))
            figures["tx_per_s_sqlite"] = on_sqlite("writers", Path(folder))
        if "latency" in parts:
            (Path(folder) / "latency").mkdir()
            figures |= on_postgresql("latency", Path(folder) / "latency")
        if "pure" in parts:
            figures |= pure(Path(folder))
    print(json.dumps(figures))


# --- installations --------------------------------------------------------------------------


def on_postgresql(what: str, folder: Path):
    """Run one part on a PostgreSQL server of its own."""
    from tests.postgresql import postgresql_server

    with postgresql_server() as url:
        return run_part(what, folder / "postgresql", url)


def on_sqlite(what: str, folder: Path):
    """Run one part on SQLite, with the product's settings."""
    return run_part(what, folder / "sqlite", f"sqlite:///{folder / 'sqlite' / 'm.sqlite3'}")


def run_part(what: str, folder: Path, url: str):
    """Run a part in a fresh installation; return what its last line says."""
    folder.mkdir()
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "DJANGO_SETTINGS_MODULE": "missioncontrol.settings",
        "VAR_DIR": str(folder),
        "DATABASE_URL": url,
        "LOG_LEVEL": "ERROR",
        "AUDIT_PUBLISHED_QUORUM": str(QUORUM),
        "AUDIT_SETTLED_QUORUM": "17",
    }
    manage = [sys.executable, str(ROOT / "manage.py")]
    for app in ("audit", "kernel"):
        subprocess.run(
            [*manage, "migrate", app, "--skip-checks", "--verbosity", "0"],
            env=environment,
            check=True,
        )
    ran = subprocess.run(
        [sys.executable, "-m", "tests.benchmarks.bench_audit", what],
        env=environment,
        cwd=ROOT,
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    *notes, last = ran.stdout.strip().splitlines()
    print(f"{folder.name}: {' '.join(notes)} {last}", flush=True)
    return json.loads(last)


@contextlib.contextmanager
def process(*arguments: str) -> Iterator[subprocess.Popen]:
    """Run a program of this installation beside the measurement."""
    running = subprocess.Popen(
        [sys.executable, *arguments], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    try:
        yield running
    finally:
        running.terminate()
        running.wait(timeout=20)


# --- transactions per second ----------------------------------------------------------------


def writers() -> None:
    """Print transactions per second of 8 processes, the sequencer running."""
    import django

    django.setup()
    from missioncontrol.audit import selectors
    from missioncontrol.audit.models import AuditEntry

    with process("manage.py", "run_log_sequencer"):
        while selectors.log_folder().read_checkpoint() is None:
            time.sleep(0.05)
        running = [
            subprocess.Popen(
                [sys.executable, "-m", "tests.benchmarks.bench_audit", "writer", str(number)],
                cwd=ROOT,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
            for number in range(WRITERS)
        ]
        for each in running:
            assert each.stdout is not None
            each.stdout.readline()  # it is ready
        for each in running:
            assert each.stdin is not None
            each.stdin.write("go\n")
            each.stdin.flush()
        counts = [int(each.communicate(timeout=WRITING_S + 60)[0]) for each in running]
        began_s = time.monotonic()
        while selectors.latest_checkpoint().size < sum(counts):
            time.sleep(0.05)
            assert time.monotonic() - began_s < 120, "the sequencer did not catch up"
        print(f"the sequencer had caught up after {time.monotonic() - began_s:.1f} s;")
    assert AuditEntry.objects.count() == sum(counts)
    print(round(sum(counts) / WRITING_S, 1))


def writer(number: str) -> None:
    """Commit one entry after another for a while; print how many."""
    import django

    django.setup()
    from django.db import connection, transaction

    from missioncontrol.audit.services import append_entry

    connection.ensure_connection()
    print("ready", flush=True)
    sys.stdin.readline()
    count, until_s = 0, time.monotonic() + WRITING_S
    while time.monotonic() < until_s:
        with transaction.atomic():
            append_entry(
                action="telecommand.approve",
                subject=f"telecommand:{count}",
                actor=f"operator:bench-{number}",
                at=AT,
                organisation="payload-member",
                details={"name": "PAYLOAD_POWER", "spacecraft": "DD-1", "hazardous": True},
            )
        count += 1
    print(count)


# --- latency --------------------------------------------------------------------------------


def latency() -> None:
    """Print the p99 from commit to checkpoint and to 13 cosignatures."""
    import django

    django.setup()
    from missioncontrol.audit import selectors
    from missioncontrol.audit.services import register_witness

    folder = selectors.log_folder()
    with process("manage.py", "run_log_sequencer"):
        while folder.read_checkpoint() is None or folder.read_verifier_key() is None:
            time.sleep(0.05)
        with process(
            "-m", "tests.benchmarks.bench_audit", "witnesses", selectors.verification_key()
        ) as served:
            assert served.stdout is not None
            for number, each in enumerate(json.loads(served.stdout.readline())):
                register_witness(**each, organisation=f"m{number}", actor="operator:bench", at=AT)
            with process("manage.py", "run_witness_rounds"):
                time.sleep(3)
                print(json.dumps(measure_latency()))


def measure_latency() -> dict[str, float]:
    """Append at a steady rate; a thread watches what is published, another what is cosigned."""
    from missioncontrol.audit import selectors

    committed: dict[int, float] = {}  # row -> moment
    grown: list[tuple[float, int]] = []  # moment, entries in the checkpoint file
    cosigned: list[tuple[float, int]] = []  # moment, entries under a quorum
    stop = threading.Event()

    def watch(read, seen) -> None:
        while not stop.is_set():
            size = read()
            if not seen or size > seen[-1][1]:
                seen.append((time.monotonic(), size))
            stop.wait(0.005)

    def file_size() -> int:
        octets = selectors.log_folder().read_checkpoint()
        return int(octets.split(b"\n")[1])

    watching = [
        threading.Thread(target=watch, args=(file_size, grown)),
        threading.Thread(target=watch, args=(selectors.published_size, cosigned)),
    ]
    for each in watching:
        each.start()
    append_steadily(committed)
    began_s = time.monotonic()
    while selectors.published_size() < selectors.assigned_size():
        time.sleep(0.05)
        assert time.monotonic() - began_s < 60, selectors.witness_board()
    time.sleep(0.1)
    stop.set()
    for each in watching:
        each.join()
    return {
        "publish_p99_ms": p99_ms(committed, grown),
        "quorum_p99_ms": p99_ms(committed, cosigned),
    }


def append_steadily(committed: dict[int, float]) -> None:
    from django.db import transaction

    from missioncontrol.audit.services import append_entry

    begin_s = time.monotonic()
    for number in range(LATENCY_ENTRIES):
        time.sleep(max(0.0, begin_s + number / RATE_PER_S - time.monotonic()))
        with transaction.atomic():
            row = append_entry(
                action="bench.latency", subject=f"n:{number}", actor="process:bench", at=AT
            )
        committed[row.pk] = time.monotonic()


def p99_ms(committed: dict[int, float], seen: list[tuple[float, int]]) -> float:
    from missioncontrol.audit.models import AuditEntry

    waits = []
    for pk, index in AuditEntry.objects.filter(pk__in=committed).values_list("pk", "log_index"):
        shown_s = next(moment for moment, size in seen if size > index)
        waits.append(max(0.0, shown_s - committed[pk]))
    return round(1000 * statistics.quantiles(waits, n=100)[98], 1)


def serve_witnesses(log_vkey: str) -> None:
    """Serve 24 witnesses until stopped; print who they are."""
    from missioncontrol.audit.merkle.keys import VerifierKey
    from tests.integration.missioncontrol.audit.witness_server import witnesses

    key = VerifierKey.from_vkey(log_vkey)
    with (
        tempfile.TemporaryDirectory(prefix="bench-witnesses-") as folder,
        witnesses(WITNESSES, Path(folder), log_key=key) as members,
    ):
        told = [{"name": each.name, "vkey": each.vkey, "url": each.url} for each in members]
        print(json.dumps(told), flush=True)
        threading.Event().wait()


# --- the mathematics ------------------------------------------------------------------------


def pure(folder: Path) -> dict[str, float]:
    """Return the figures of a log of 1,000,000 entries that no database holds."""
    from missioncontrol.audit.log_folder import LogFolder
    from missioncontrol.audit.merkle.checkpoint import Checkpoint
    from missioncontrol.audit.merkle.growth import grow
    from missioncontrol.audit.merkle.hashing import leaf_hash
    from missioncontrol.audit.merkle.log_verifier import verify_log

    leaves = [leaf_hash(entry(number)) for number in range(ENTRIES)]
    grown = grow(old_size=0, leaves=leaves, read_tile=lambda _tile: b"")
    head = Checkpoint(origin="log.example/bench", size=ENTRIES, root=grown.root)
    began_s = time.perf_counter()
    verify_log(((entry(number), leaves[number]) for number in range(ENTRIES)), checkpoint=head)
    verified_s = time.perf_counter() - began_s
    log = LogFolder(folder / "million")
    for tile, octets in grown.tiles:  # as the folder lays them out, without its flushes
        file = log.path / tile.path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(octets)
    return {
        "verify_1m_s": round(verified_s, 1),
        "proof_1m_ms": proof_ms(log, leaves, head),
    }


def entry(number: int) -> bytes:
    """Return octets of the length and form of an ordinary entry."""
    return (
        b'{"action":"telecommand.approve","actor":"operator:alice","at":'
        b'"2026-12-01T00:12:34.500000Z","details":{"name":"PING","spacecraft":"DD-1"},'
        b'"nonce":"%016x","organisation":"member","subject":"telecommand:%d","version":1}'
        % (number, number)
    )


def proof_ms(log, leaves: list[bytes], head) -> float:
    from missioncontrol.audit.merkle.proofs import verify_inclusion
    from missioncontrol.audit.merkle.tiles import TileNodes
    from missioncontrol.audit.merkle.tree import inclusion_proof

    chance, took_s = random.Random(1), []
    for _proof in range(200):
        index = chance.randrange(ENTRIES)
        began_s = time.perf_counter()
        nodes = TileNodes(size=ENTRIES, read_tile=log.read_tile)  # cold for each, as served
        proof = inclusion_proof(index=index, size=ENTRIES, read_node=nodes)
        took_s.append(time.perf_counter() - began_s)
        verify_inclusion(
            leaf=leaves[index], index=index, size=ENTRIES, proof=proof, root=head.root
        )
    return round(1000 * statistics.median(took_s), 2)


ROLES = {
    "writers": writers,
    "writer": writer,
    "latency": latency,
    "witnesses": serve_witnesses,
}


if __name__ == "__main__":
    main()
