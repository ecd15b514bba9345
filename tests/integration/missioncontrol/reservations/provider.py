"""The simulated provider as a process, and what a test tells it and asks of it."""

from __future__ import annotations

import subprocess
import sys

import httpx

TOKEN = "token-of-tests"


class ProviderProcess:
    """Started and stopped as often as wanted; the port and what it has given stay."""

    def __init__(self, folder):
        self._state = folder / "provider.json"
        self._process = None
        self.url = ""
        self.start()

    def start(self):
        port = self.url.rpartition(":")[2] or "0"
        self._process = subprocess.Popen(
            [
                *(sys.executable, "-m", "missioncontrol.simulator.station_provider"),
                *("--port", port, "--token", TOKEN, "--state", self._state),
            ],
            stdout=subprocess.PIPE,
            text=True,
        )
        self.url = self._process.stdout.readline().strip()

    def stop(self):
        self._process.kill()
        self._process.wait(timeout=5)
        self._process.stdout.close()

    def simulate(self, **faults):
        self._call("PUT", "/simulation", json=faults)

    def contacts(self):
        """All that it has given, in the order in which it was."""
        found, cursor = [], "0"
        while cursor:
            query = {"begins": "2000-01-01T00:00Z", "ends": "2100-01-01T00:00Z", "cursor": cursor}
            page = self._call("GET", "/contacts", params=query)
            found, cursor = found + page["contacts"], page["next_cursor"]
        return found

    def held(self):
        return [one for one in self.contacts() if one["status"] == "SCHEDULED"]

    def give(self, **fields):
        """Give a contact that was asked for elsewhere."""
        return self._call("POST", "/contacts", json=fields)

    def empty(self):
        self.simulate()
        self.simulate(forget=[one["contact_id"] for one in self.contacts()])

    def _call(self, method, path, **what):
        headers = {"Authorization": f"Bearer {TOKEN}"}
        answer = httpx.request(method, self.url + path, headers=headers, trust_env=False, **what)
        return answer.raise_for_status().json()
