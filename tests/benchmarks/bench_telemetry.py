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
  the archive, and of another 40 s after 130 s of silence;
* ``live_p50_ms``, ``live_p99_ms``, ``live_p99_ms_5000``: from the sender's clock in the
  packet until a websocket client has the value, at 1,000 and at 5,000 packets/s;
* ``buckets_500_ms``, ``newest_1000_ms``, ``arrow_1m_ms``: one parameter's 1,000,000 samples
  through the HTTP API; ``five_years_ms``: 1,000 buckets of 5 years at 1 Hz;
* ``kill_rounds``, ``kill_lost``, ``kill_doubled``: receiver and ingest killed again and
  again while packets come; packets that were on the spool and are not in the archive, or
  are there twice.

PARTS names what is measured: tcp, udp, silence, live, history, years, kill; default: all.
With ``--with-yamcs`` Yamcs runs the same load beside (see tests/benchmarks/yamcs.py).
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.benchmarks.installation import CRAFT, Installation, installation, wait_until

PARTS = ("tcp", "udp", "silence", "live", "history", "years", "kill")
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
        if asked.with_yamcs:
            from tests.benchmarks.yamcs import measure_yamcs

            figures |= measure_yamcs(Path(folder))
            if "yamcs_values_per_s" in figures and "values_per_s" in figures:
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
    send(made, "tcp", str(made.tcp), "3000")  # everything is compiled and open after this
    wait_until(lambda: archived(made)[1] == 3000, "the first packets are archived")
    before_s, _ = made.usage("receiver", "ingest")
    sent = send(made, "tcp", str(made.tcp), str(PACKETS), "3000")
    wait_until(
        lambda: archived(made)[1] >= 3000 + PACKETS or time.time() > sent["ended"] + 60,
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
        "lost": 3000 + PACKETS - min(packets, rows),
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


def datagrams(made: Installation, *, silence_s: float = 0.0) -> int:
    made.start_receiver()
    made.start_ingest()
    before = 0
    if silence_s:
        send(made, "udp", str(made.udp), "3000", "--rate", str(UDP_PER_S))
        time.sleep(silence_s)
        before = 3000
    count = int(UDP_PER_S * UDP_S)
    send(made, "udp", str(made.udp), str(count), str(before), "--rate", str(UDP_PER_S))
    deadline_s = time.monotonic() + 10
    while archived(made)[1] < before + count and time.monotonic() < deadline_s:
        time.sleep(0.1)
    return before + count - archived(made)[1]


MEASURES = {
    "tcp": flat_out,
    "udp": lambda made: {"udp_lost": datagrams(made)},
    "silence": lambda made: {"udp_lost_after_silence": datagrams(made, silence_s=SILENCE_S)},
}


if __name__ == "__main__":
    main()
