"""What telemetry costs: `make bench-telemetry`. Not a part of the test suite.

The load is that of `shared/telemetry_load`, which other systems were measured with. The
sender makes its octets before the clock starts, in a process of its own that does not
count. The last line is JSON:

* ``values_per_s``, ``packets_per_s``: TCP flat out, 500,000 packets, from the first octet
  sent until a query of the archive finds the last one; ``lost``: packets that the query
  does not find; ``cores``: processor time of receiver and ingest over that time;
  ``peak_mb``: their largest memory together; ``octets_per_value``: the archive on the disk
  (packet log and columns) over the values, after compaction; ``_realistic``: the same of
  telemetry that changes slowly;
* ``udp_lost``, ``udp_lost_after_silence``: packets of 12,000/s for 40 s that are not in
  the archive, and of another 40 s after 130 s of silence; beside each how many of them the
  kernel dropped by its own table, and how many the product counted as dropped;
* ``live_p50_ms``, ``live_p99_ms``, ``live_p99_ms_5000``: from the sender's clock in the
  packet until a websocket client has the value, at 1,000 and at 5,000 packets/s;
* ``buckets_500_ms``, ``newest_1000_ms``, ``arrow_1m_ms``: one parameter's 1,000,000 samples
  through the HTTP API; ``five_years_ms``: 1,000 buckets of 5 years at 1 Hz;
* ``kill_rounds``, ``kill_lost``, ``kill_doubled``: receiver and ingest killed again and
  again while packets come; packets that were on the spool and are not in the archive, or
  are there twice.

PARTS names what is measured: tcp, udp, silence, live, history, years, kill; default: all.
With ``--with-yamcs`` (``make bench-telemetry WITH_YAMCS=1``) Yamcs runs the load of tcp after
us, which gives ``yamcs_values_per_s`` and ``ratio_yamcs``; see tests/benchmarks/yamcs.py.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from tests.benchmarks.installation import (
    CRAFT,
    WARM_UP,
    Installation,
    get,
    installation,
    wait_until,
)
from tests.benchmarks.yamcs import measure_yamcs

PARTS = ("tcp", "udp", "silence", "live", "history", "years", "kill")
START_US = 1_767_225_600_000_000
PACKETS = int(os.environ.get("PACKETS", "500000"))
UDP_PER_S = int(os.environ.get("UDP_PER_S", "12000"))
UDP_S = float(os.environ.get("UDP_S", "40"))
SILENCE_S = float(os.environ.get("SILENCE_S", "130"))
LIVE_S = float(os.environ.get("LIVE_S", "15"))
ROUNDS = int(os.environ.get("ROUNDS", "20"))


def main() -> None:
    """Measure the parts asked for."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--with-yamcs", action="store_true")
    asked = parser.parse_args()
    parts = os.environ.get("PARTS", ",".join(PARTS)).split(",")
    figures: dict[str, float] = {}
    with tempfile.TemporaryDirectory(prefix="bench-telemetry-") as folder:
        for part in parts:
            with installation(Path(folder), part) as made:
                figures |= MEASURES[part](made)
            print(f"{part}: {json.dumps(figures)}", flush=True)
            shutil.rmtree(Path(folder) / part)
            if part == "tcp" and asked.with_yamcs:  # soon after: the machine may have company
                figures |= measure_yamcs(Path(folder), packets=PACKETS)
                ratio = figures["values_per_s"] / figures["yamcs_values_per_s"]
                figures["ratio_yamcs"] = round(ratio, 2)
    print(json.dumps(figures))


def send(made: Installation, *arguments: str) -> dict[str, float]:
    """Run a sender; return what it says of itself."""
    ran = subprocess.run(
        [sys.executable, "-m", "tests.benchmarks.telemetry_sender", *arguments],
        env=made.environment,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return json.loads(ran.stdout.strip().splitlines()[-1])


def archived(made: Installation) -> tuple[int, int]:
    """Return (packets in the log, rows of columns) that readers of the archive find."""
    import sqlite3

    database = made.archive / "segments.sqlite3"
    if not database.exists():
        return 0, 0
    with sqlite3.connect(f"{database.as_uri()}?mode=ro", uri=True) as connection:
        packets = connection.execute("SELECT TOTAL(packets) FROM packet_batch").fetchone()[0]
        rows = connection.execute("SELECT TOTAL(row_count) FROM segment").fetchone()[0]
    return int(packets), int(rows)


def disk_octets(made: Installation) -> int:
    """Return what the archive takes on the disk."""
    return sum(file.stat().st_size for file in made.archive.rglob("*") if file.is_file())


def flat_out(made: Installation) -> dict[str, float]:
    made.start_receiver()
    made.start_ingest()
    send(made, "tcp", str(made.tcp), str(WARM_UP))
    wait_until(lambda: archived(made)[1] == WARM_UP, "the first packets are archived")
    before_s, _ = made.usage("receiver", "ingest")
    sent = send(made, "tcp", str(made.tcp), str(PACKETS), str(WARM_UP))
    wait_until(
        lambda: archived(made)[1] >= WARM_UP + PACKETS or time.time() > sent["ended"] + 60,
        "the last packet is archived",
        within_s=300,
    )
    took_s = time.time() - sent["began"]
    after_s, peak_mb = made.usage("receiver", "ingest")
    packets, rows = archived(made)
    values = sent["values"]
    made.manage("shell", "-c", _COMPACT)
    return {
        "values_per_s": round(values / took_s),
        "packets_per_s": round(PACKETS / took_s),
        "lost": WARM_UP + PACKETS - min(packets, rows),
        "cores": round((after_s - before_s) / took_s, 2),
        "peak_mb": round(peak_mb),
        "octets_per_value": round(disk_octets(made) / values, 2),
    }


_COMPACT = """
from missioncontrol.kernel.organisations import process_acts_for_everybody
process_acts_for_everybody()
from telemetry.tasks import compact_archives
compact_archives()
"""


def datagrams(made: Installation, *, silence_s: float = 0.0) -> dict[str, float]:
    made.start_receiver()
    made.start_ingest()
    before = 0
    if silence_s:
        send(made, "udp", str(made.udp), str(WARM_UP), "--rate", str(UDP_PER_S))
        time.sleep(silence_s)
        before = WARM_UP
    count = int(UDP_PER_S * UDP_S)
    send(made, "udp", str(made.udp), str(count), str(before), "--rate", str(UDP_PER_S))
    deadline_s = time.monotonic() + 20
    while archived(made)[1] < before + count and time.monotonic() < deadline_s:
        time.sleep(0.1)
    suffix = "_after_silence" if silence_s else ""
    return {
        f"udp_lost{suffix}": before + count - min(archived(made)),
        f"udp_dropped_by_kernel{suffix}": dropped_by_kernel(made.udp),
        f"udp_dropped_as_counted{suffix}": int(made.manage("shell", "-c", _DROPPED).split()[-1]),
    }


_DROPPED = """
from missioncontrol.kernel.organisations import process_acts_for_everybody
process_acts_for_everybody()
from telemetry.models import InputCounts
print(sum(InputCounts.objects.values_list("dropped", flat=True)))
"""


def dropped_by_kernel(port: int) -> int:
    """Return how many datagrams the kernel had no room for at a port, by its own table."""
    for line in Path("/proc/net/udp").read_text().splitlines()[1:]:
        fields = line.split()
        if int(fields[1].rpartition(":")[2], 16) == port:
            return int(fields[-1])
    sys.exit(f"the kernel knows no socket at port {port}: the receiver has ended")


def live(made: Installation) -> dict[str, float]:
    made.start_receiver()
    made.start_ingest()
    address = made.start_web().replace("http", "ws")
    token = made.token()
    figures = {}
    first = WARM_UP
    asyncio.run(_ages(made, address, token, WARM_UP, 0, 1000))  # sockets and code are cold
    for rate, names in ((1000, ("live_p50_ms", "live_p99_ms")), (5000, ("", "live_p99_ms_5000"))):
        count = int(rate * LIVE_S)
        ages = asyncio.run(_ages(made, address, token, count, first, rate))
        first += count
        quantiles = statistics.quantiles(ages, n=100)
        figures |= {
            name: round(figure, 1)
            for name, figure in zip(names, (quantiles[49], quantiles[98]), strict=True)
            if name
        }
    return figures


async def _ages(
    made: Installation, address: str, token: str, count: int, first: int, rate: int
) -> list[float]:
    """Return the ages in ms of the values of the sender's clock that a client gets."""
    from websockets.asyncio.client import connect

    ages: list[float] = []
    url = f"{address}/api/v1/spacecraft/{CRAFT}/telemetry/live"
    headers = {"Authorization": f"Bearer {token}"}
    async with connect(url, additional_headers=headers) as line:
        await line.send(json.dumps({"parameters": ["*_t_send", "EPS_f0*"]}))
        seen = {name: value["v"] for name, value in (await _told(line, within_s=5)).items()}
        arguments = ["tcp", str(made.tcp), str(count), str(first), "--rate", str(rate), "--stamp"]
        sender = subprocess.Popen(
            [sys.executable, "-m", "tests.benchmarks.telemetry_sender", *arguments],
            env=made.environment,
            stdout=subprocess.DEVNULL,
        )
        while sender.poll() is None:
            values = await _told(line)
            now_us = time.time_ns() // 1000
            for name, value in values.items():
                if name.endswith("_t_send") and value["v"] > seen.get(name, 0):
                    ages.append((now_us - value["v"]) / 1000)
                    seen[name] = value["v"]
    return ages


async def _told(line: Any, *, within_s: float = 0.2) -> dict[str, dict[str, Any]]:
    """Return the values of the next message; none where none comes."""
    try:
        message = json.loads(await asyncio.wait_for(line.recv(), within_s))
    except TimeoutError:
        return {}
    values: dict[str, dict[str, Any]] = message.get("values", {})
    return values


def history(made: Installation) -> dict[str, float]:
    fill_archive(made, samples=1_000_000, step_us=1_000_000)
    address, token = made.start_web(), made.token()
    base = f"{address}/api/v1/spacecraft/{CRAFT}/telemetry/EPS_h08/samples"
    interval = f"start={_ms(0)}&end={_ms(1_000_000)}"
    return {
        "buckets_500_ms": _asking_ms(f"{base}?{interval}&strategy=minmax&size=500", token),
        "newest_1000_ms": _asking_ms(f"{base}?{interval}&strategy=latest&size=1000", token),
        "arrow_1m_ms": _asking_ms(f"{base}?{interval}&format=arrow", token),
    }


def five_years(made: Installation) -> dict[str, float]:
    count = int(os.environ.get("YEARS_SAMPLES", str(5 * 365 * 86_400 + 86_400)))
    fill_archive(made, samples=count, step_us=1_000_000)
    address, token = made.start_web(), made.token()
    base = f"{address}/api/v1/spacecraft/{CRAFT}/telemetry/EPS_h08/samples"
    interval = f"start={_ms(0)}&end={_ms(count)}"
    return {
        "five_years_ms": _asking_ms(f"{base}?{interval}&strategy=minmax&size=1000", token),
        "octets_per_value_realistic": round(disk_octets(made) / count, 2),
    }


def _ms(sample: int) -> int:
    return START_US // 1000 + sample * 1000


def _asking_ms(address: str, token: str) -> float:
    """Return the median time of an answer, from the request to the last octet."""
    get(address, token)
    times = []
    for _ in range(9):
        began = time.perf_counter()
        get(address, token)
        times.append((time.perf_counter() - began) * 1000)
    return round(statistics.median(times), 1)


def fill_archive(made: Installation, *, samples: int, step_us: int) -> None:
    """Write a temperature that swings and drifts, as compaction would have left it."""
    import numpy as np

    from telemetry.archive import ColumnGroup, open_writer

    random = np.random.default_rng(1)
    made.archive.mkdir(parents=True, exist_ok=True)
    with open_writer(made.archive) as writer:
        for first in range(0, samples, 65_536):
            index = np.arange(first, min(first + 65_536, samples))
            orbits = np.sin(index * (2 * np.pi / 5700)) * 900 + 7000 + index % 1_000_000 * 1e-4
            values = (orbits + random.normal(0, 3, len(index))).astype(np.uint16)
            group = ColumnGroup(
                spacecraft=CRAFT,
                container="EPS",
                times_us=START_US + index * step_us,
                sequence_counts=(index % 16384).astype(np.uint16),
                columns={"EPS_h08": values},
            )
            writer.append([], [group])


def kills(made: Installation) -> dict[str, float]:
    """Kill receiver and ingest in turn while packets come over UDP; then account for all."""
    import random

    chance = random.Random(7)
    made.start_receiver()
    made.start_ingest()
    first = 0
    for round_ in range(ROUNDS):
        sender = subprocess.Popen(
            [
                *[sys.executable, "-m", "tests.benchmarks.telemetry_sender"],
                *["udp", str(made.udp), "6000", str(first), "--rate", "6000"],
            ],
            env=made.environment,
            stdout=subprocess.DEVNULL,
        )
        first += 6000
        time.sleep(chance.uniform(0.5, 1.5))
        for name in (
            ("receiver", "ingest") if round_ % 3 == 2 else (("ingest", "receiver")[round_ % 2],)
        ):
            made.kill(name)
        sender.wait()
        made.start_receiver() if "receiver" not in made.processes else None
        made.start_ingest() if "ingest" not in made.processes else None
    time.sleep(3)
    wait_until(lambda: _is_still(made), "the spool is empty", within_s=120)
    made.kill("ingest")
    made.kill("receiver")
    spooled, logged = _spooled(made), _logged(made)
    return {
        "kill_rounds": ROUNDS,
        "kill_packets": len(logged),
        "kill_lost": len(spooled - set(logged)),
        "kill_doubled": len(logged) - len(set(logged)),
    }


def _is_still(made: Installation) -> bool:
    before = archived(made)
    time.sleep(2)
    return before == archived(made)


def _spooled(made: Installation) -> set[bytes]:
    """Return the packets that stand on the spool: what the receiver has acknowledged."""
    from telemetry.links.spool import RecordKind, SpoolReader

    found: set[bytes] = set()
    reader = SpoolReader(made.folder / "var" / "spool" / CRAFT / "datagrams", 0)
    while records := reader.read():
        for record in records:
            if record.kind is RecordKind.UNITS:
                found.update(record.batch)
    return found


def _logged(made: Installation) -> list[bytes]:
    from telemetry.archive import open_reader

    with open_reader(made.archive) as reader:
        return [
            octets for rows in reader.rows_since(0, spacecraft=CRAFT) for octets in rows.packets
        ]


MEASURES = {
    "tcp": flat_out,
    "udp": datagrams,
    "silence": lambda made: datagrams(made, silence_s=SILENCE_S),
    "live": live,
    "history": history,
    "years": five_years,
    "kill": kills,
}


if __name__ == "__main__":
    main()
