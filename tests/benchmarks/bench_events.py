"""How soon events reach those who want them: `make bench-events`. Not a part of the test suite.

An installation on PostgreSQL with one web process and one that sends webhooks;
entries are published 20 times a second. The last line is JSON:

* ``stream_p50_ms``, ``stream_p99_ms``: from the moment that a checkpoint is
  published until each of 200 streams (server-sent events) has its event;
* ``socket_p99_ms``: the same for 200 websockets;
* ``webhook_p99_ms``: the same until a receiver on loopback has the message;
* ``webhooks_per_s``: messages a second to one receiver, of 1,000 that wait.
"""

from __future__ import annotations

import asyncio
import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import ExitStack
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.request import Request, urlopen

from tests.postgresql import postgresql_server

ROOT = Path(__file__).resolve().parents[2]
AT = datetime(2026, 12, 1, tzinfo=UTC)
PORT, RECEIVER_PORT = 18431, 18432
API = f"http://127.0.0.1:{PORT}/api/v1"
CLIENTS = 200
EVENTS = 200
RATE_PER_S = 20
WAITING = 1000


def main() -> None:
    """Measure, or be one of the processes that are started for it."""
    if len(sys.argv) > 1:
        ROLES[sys.argv[1]](*sys.argv[2:])
        return
    with tempfile.TemporaryDirectory(prefix="bench-events-") as folder, postgresql_server() as url:
        environment = {
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "DJANGO_SETTINGS_MODULE": "missioncontrol.settings",
            "VAR_DIR": folder,
            "DATABASE_URL": url,
            "LOG_LEVEL": "ERROR",
            "WEBHOOK_ALLOWED_HOSTS": "127.0.0.1",
        }
        manage = [sys.executable, str(ROOT / "manage.py")]
        subprocess.run(
            [*manage, "migrate", "--skip-checks", "--verbosity", "0"], env=environment, check=True
        )
        with ExitStack() as stack:

            def start(*arguments: str, **options) -> subprocess.Popen:
                process = subprocess.Popen(
                    [sys.executable, *arguments], env=environment, cwd=ROOT, **options
                )
                stack.callback(process.wait, timeout=20)
                stack.callback(process.terminate)
                return process

            this = ["-m", "tests.benchmarks.bench_events"]
            start(*this, "broker", stdout=subprocess.DEVNULL)
            start(
                *["-m", "uvicorn", "missioncontrol.asgi:application", "--port", str(PORT)],
                *["--no-access-log", "--lifespan", "off", "--log-level", "error"],
            )
            start(str(ROOT / "manage.py"), "run_webhook_deliveries")
            measured = start(*this, "measure", stdout=subprocess.PIPE, text=True)
            output, _ = measured.communicate(timeout=500)
            print(output, end="")


def broker() -> None:
    """Be the embedded broker of this installation."""
    import django

    django.setup()
    from missioncontrol.supervision.processes import broker_process

    definition = broker_process()
    assert definition is not None
    os.execv(definition.argv[0], list(definition.argv))


def measure() -> None:
    """Publish, let others listen, and print the figures."""
    import django

    django.setup()
    from missioncontrol.kernel.organisations import process_acts_for_everybody
    from missioncontrol.supervision.supervisor import wait_for_broker

    process_acts_for_everybody()
    wait_for_broker(within_s=20)
    token = _account()
    _until_it_answers(token)
    figures = {"clients": CLIENTS}
    for kind in ("stream", "socket"):
        sent, received = _heard(kind, token)
        delays = [1000 * (at - sent[number]) for each in received for number, at in each.items()]
        assert len(delays) == CLIENTS * EVENTS
        figures |= _figures(kind, delays)
    figures |= _webhooks()
    print(json.dumps(figures))


def _figures(kind: str, delays: list[float]) -> dict[str, float]:
    cut = statistics.quantiles(delays, n=100)
    return {f"{kind}_p50_ms": round(cut[49], 1), f"{kind}_p99_ms": round(cut[98], 1)}


def _account() -> str:
    from missioncontrol.accounts.models import Membership, Operator, Organisation
    from missioncontrol.accounts.policy import Role
    from missioncontrol.accounts.services import create_token
    from missioncontrol.kernel import clock

    lab = Organisation.objects.create(slug="lab", name="Lab", kind="laboratory")
    mei = Operator.objects.create(username="mei", home=lab)
    Membership.objects.create(operator=mei, organisation=lab, role=Role.PAYLOAD_MEMBER)
    _, secret = create_token(
        operator=mei, organisation=lab, name="bench", at=AT, wall_at=clock.wall_now()
    )
    return secret


def _until_it_answers(token: str) -> None:
    while True:
        try:
            urlopen(Request(f"{API}/clock", headers={"Authorization": f"Bearer {token}"}))
        except OSError:
            time.sleep(0.2)
        else:
            return


def _publish(number: int, action: str) -> float:
    """Publish one entry as the sequencer's process does; return when its checkpoint was there."""
    from django.db import transaction

    from missioncontrol.audit.services import append_entry, sequence_entries
    from missioncontrol.kernel import live

    with transaction.atomic():
        append_entry(
            action=action,
            subject="bench:1",
            actor="process:bench",
            at=AT,
            organisation="lab",
            details={"number": number},
        )
    sequence_entries(at=AT)
    published_s = time.monotonic()
    live.announce_publication()
    return published_s


def _publish_steadily(action: str) -> list[float]:
    sent, begun = [], time.monotonic()
    for number in range(EVENTS):
        time.sleep(max(0.0, begun + number / RATE_PER_S - time.monotonic()))
        sent.append(_publish(number, action))
    return sent


# --- streams --------------------------------------------------------------------------------


def _heard(kind: str, token: str) -> tuple[list[float], list[dict[int, float]]]:
    """Return when each event was published, and when each client had it."""
    with subprocess.Popen(
        [sys.executable, "-m", "tests.benchmarks.bench_events", "listen", kind, token],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    ) as clients:
        assert clients.stdout is not None
        assert clients.stdout.readline() == "ready\n"
        sent = _publish_steadily(f"{kind}.event")
        received = json.loads(clients.stdout.readline())
    return sent, [{int(number): at for number, at in each.items()} for each in received]


def listen(kind: str, token: str) -> None:
    """Be 200 clients; print when each had each event (monotonic: one clock for all processes)."""
    asyncio.run(_listen({"stream": _stream, "socket": _socket}[kind], token))


async def _listen(client, token: str) -> None:
    door, ready = asyncio.Semaphore(20), asyncio.Semaphore(0)
    tasks = [asyncio.create_task(client(token, door, ready)) for _ in range(CLIENTS)]
    for _ in range(CLIENTS):
        await ready.acquire()
    await asyncio.sleep(1)
    print("ready", flush=True)
    print(json.dumps(await asyncio.gather(*tasks)), flush=True)


async def _stream(token: str, door: asyncio.Semaphore, ready: asyncio.Semaphore):
    async with door:
        reader, writer = await asyncio.open_connection("127.0.0.1", PORT)
        writer.write(
            b"GET /api/v1/events?types=stream.* HTTP/1.1\r\nHost: 127.0.0.1\r\n"
            b"Accept: text/event-stream\r\nAuthorization: Bearer %s\r\n\r\n" % token.encode()
        )
        await reader.readuntil(b"retry:")
    ready.release()
    had = {}
    while len(had) < EVENTS:
        line = await reader.readline()
        if line.startswith(b"data: "):
            had[json.loads(line[6:])["data"]["details"]["number"]] = time.monotonic()
    writer.close()
    return had


async def _socket(token: str, door: asyncio.Semaphore, ready: asyncio.Semaphore):
    from websockets.asyncio.client import connect

    async with door:
        ticket = await asyncio.to_thread(_ticket, token)
        address = f"ws://127.0.0.1:{PORT}/ws/events/?ticket={ticket}&types=socket.*"
        line = await connect(address)
    ready.release()
    had = {}
    while len(had) < EVENTS:
        event = json.loads(await line.recv())
        had[event["data"]["details"]["number"]] = time.monotonic()
    await line.close()
    return had


def _ticket(token: str) -> str:
    request = Request(
        f"{API}/tickets", method="POST", headers={"Authorization": f"Bearer {token}"}
    )
    return json.load(urlopen(request))["ticket"]


# --- webhooks -------------------------------------------------------------------------------


def _webhooks() -> dict[str, float]:
    from missioncontrol.accounts.models import Organisation
    from missioncontrol.kernel import clock
    from missioncontrol.webhooks import services

    had: dict[tuple[str, int], float] = {}

    class Receiver(BaseHTTPRequestHandler):
        def do_POST(self):
            event = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            had[event["type"], event["data"]["details"]["number"]] = time.monotonic()
            self.send_response(204)
            self.end_headers()

        def log_message(self, *arguments):
            """Stay silent."""

    with ThreadingHTTPServer(("127.0.0.1", RECEIVER_PORT), Receiver) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        services.create_webhook(
            organisation=Organisation.objects.get(slug="lab"),
            name="bench",
            url=f"http://127.0.0.1:{RECEIVER_PORT}/",
            types=["steady.event", "burst.event"],
            actor="process:bench",
            at=AT,
            wall_at=clock.wall_now(),
        )
        sent = _publish_steadily("steady.event")
        _wait(lambda: len(had) >= EVENTS)
        figures = _figures(
            "webhook",
            [1000 * (had["steady.event", number] - at) for number, at in enumerate(sent)],
        )
        figures["webhooks_per_s"] = _burst(had)
        server.shutdown()
    return figures


def _burst(had: dict[tuple[str, int], float]) -> float:
    from django.db import transaction

    from missioncontrol.audit.services import append_entry, sequence_entries

    with transaction.atomic():
        for number in range(WAITING):
            append_entry(
                action="burst.event",
                subject="bench:1",
                actor="process:bench",
                at=AT,
                organisation="lab",
                details={"number": number},
            )
    sequence_entries(at=AT)
    _wait(lambda: len(had) >= EVENTS + WAITING)
    times = [at for (action, _), at in had.items() if action == "burst.event"]
    return round((WAITING - 1) / (max(times) - min(times)), 1)


def _wait(condition) -> None:
    deadline = time.monotonic() + 120
    while not condition():
        assert time.monotonic() < deadline, "not all of them arrived"
        time.sleep(0.05)


ROLES = {"broker": broker, "measure": measure, "listen": listen}

if __name__ == "__main__":
    main()
