"""One installation for a browser: a broker, a database file, the scene, the real web server.

    VAR_DIR=... python -m tests.browser.installation

Prints one JSON line when it serves, with its port; serves until it is told to stop.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys

import django
import uvicorn


def main() -> None:
    os.environ["DJANGO_SETTINGS_MODULE"] = "missioncontrol.settings"
    django.setup()
    from django.conf import settings
    from django.core.management import call_command

    from missioncontrol.kernel.organisations import acting_for_everybody
    from missioncontrol.supervision.processes import broker_process
    from missioncontrol.supervision.supervisor import wait_for_broker

    # uvicorn gives the signal back when it has shut down; then the broker is stopped too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    definition = broker_process()
    assert definition is not None
    broker = subprocess.Popen(definition.argv, stdout=subprocess.DEVNULL)
    try:
        wait_for_broker(within_s=10)
        call_command("migrate", verbosity=0, interactive=False)
        from tests.browser import scene

        with acting_for_everybody():
            scene.build()
        from missioncontrol.asgi import application

        listener = socket.socket()
        listener.bind(("127.0.0.1", 0))
        line = {"port": listener.getsockname()[1], "redis_url": settings.REDIS_URL}
        sys.stdout.write(json.dumps(line) + "\n")
        sys.stdout.flush()
        config = uvicorn.Config(
            application, log_level="warning", timeout_graceful_shutdown=1, lifespan="off"
        )
        uvicorn.Server(config).run(sockets=[listener])
    finally:
        broker.terminate()
        broker.wait(timeout=5)


if __name__ == "__main__":
    main()
