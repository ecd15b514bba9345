"""A real browser on a real installation: web server, broker, database file."""

from __future__ import annotations

import json
import os
import select
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass, field
from math import inf
from pathlib import Path

import pytest

playwright_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")

ROOT = Path(__file__).resolve().parents[2]
PASSWORD = "a pass-phrase for the tests"
START_WITHIN_S = 120
# Of a sign-in that further tests go on with. A proof of who somebody is counts for five minutes.
KEPT_S = 120.0
NARROW = {"width": 390, "height": 844}
LIVE = "#live-state[data-state=live]"
# The shell is the same engine without what draws windows and menus, which nobody would see: it
# takes a third of the time. Playwright brings it too.
_BROWSERS = ["chromium-headless-shell", "chromium", "chromium-browser"]
_ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@dataclass(frozen=True)
class Installation:
    """Where the server listens, and what a process beside it needs."""

    port: int
    redis_url: str
    environment: dict[str, str]
    # Who has signed in by the form: when, and with which cookies since.
    sign_ins: dict[str, tuple[float, list[dict]]] = field(default_factory=dict)

    @property
    def address(self) -> str:
        # By name: passkeys belong to one.
        return f"http://localhost:{self.port}"

    def make_stale(self, username: str) -> None:
        """Let the last proof of who somebody is be ten minutes old."""
        self.sign_ins.pop(username, None)
        code = f"from tests.browser import scene; scene.make_stale({username!r})"
        self.manage("shell", "--no-imports", "-c", code)

    def manage(self, *arguments: str) -> str:
        done = subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=ROOT,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout


@pytest.fixture(scope="session")
def installation(tmp_path_factory):
    folder = tmp_path_factory.mktemp("installation")
    (folder / "static").mkdir()
    environment = {
        **os.environ,
        "VAR_DIR": str(folder),
        "DJANGO_SETTINGS_MODULE": "missioncontrol.settings",
        # As in a consortium of 24; the scene holds the witnesses' keys.
        "AUDIT_PUBLISHED_QUORUM": "13",
        "AUDIT_SETTLED_QUORUM": "17",
        "WEBHOOK_ALLOWED_HOSTS": "127.0.0.1",
    }
    for name in ("REDIS_URL", "DATABASE_URL", "SECRET_KEY"):
        environment.pop(name, None)
    log = (folder / "server.log").open("w")
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.browser.installation"],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=log,
        text=True,
    )
    try:
        ready, _, _ = select.select([process.stdout], [], [], START_WITHIN_S)
        line = process.stdout.readline() if ready else ""
        assert line, f"it did not start:\n{(folder / 'server.log').read_text()}"
        yield Installation(**json.loads(line), environment=environment)
    finally:
        process.terminate()
        process.wait(timeout=20)
        process.stdout.close()
        log.close()


# Of a module, not of the session: Playwright holds an event loop as long as it is open,
# and no asynchronous test could run in the same process.
@pytest.fixture(scope="module")
def chromium():
    path = next(filter(None, map(shutil.which, _BROWSERS)), None)
    if path is None:
        pytest.skip("no chromium on this machine: install it to run the browser tests")
    with playwright_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=_ARGUMENTS)
        yield browser
        browser.close()


@dataclass
class Complaints:
    """What the browser complained about: script errors, refusals by the CSP, failed requests."""

    lines: list[str] = field(default_factory=list)

    def listen_to(self, page) -> None:
        page.on("console", self._console)
        page.on("pageerror", lambda error: self.lines.append(f"script: {error}"))
        page.on("requestfailed", self._failed)
        page.on("response", self._answered)

    def _console(self, message) -> None:
        # What did not load is told with its address by _answered.
        if message.type in {"error", "warning"} and "Failed to load resource" not in message.text:
            self.lines.append(f"console: {message.text}")

    def _failed(self, request) -> None:
        # Leaving a page ends what it still loads; that is no fault.
        if request.failure != "net::ERR_ABORTED":
            self.lines.append(f"failed: {request.url} {request.failure}")

    def _answered(self, response) -> None:
        # The sign-in page, and a form that is shown again, are answers that are meant to be seen.
        if response.status >= 400 and response.status not in {401, 422}:
            self.lines.append(f"{response.status}: {response.url}")


@pytest.fixture
def complaints():
    """Every test ends with a browser that had nothing to complain about."""
    heard = Complaints()
    yield heard
    assert heard.lines == []


@pytest.fixture
def open_page(installation, chromium, complaints):
    """Open a page of one's own (no cookies shared) at an address of the console."""
    contexts = []

    def open_at(address: str = "/", **options):
        context = chromium.new_context(base_url=installation.address, **options)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(15_000)
        complaints.listen_to(page)
        page.goto(address)
        return page

    yield open_at
    for context in contexts:
        context.close()


@pytest.fixture
def sign_in(open_page):
    """Sign somebody in by the form, into a session that is the test's own, and wait for live."""

    def by_the_form(username: str, address: str = "/", **options):
        page = open_page(address, **options)
        page.fill("#id_username", username)
        page.fill("#id_password", PASSWORD)
        page.click("#signin button")
        page.wait_for_selector(LIVE)
        return page

    return by_the_form


@pytest.fixture
def signed_in(installation, open_page, sign_in):
    """Open a page as somebody who signed in a moment ago, be it in a test before, and is live.

    A test that ends sessions, or makes them old, signs in itself.
    """

    def open_as(username: str, address: str = "/", **options):
        since_s, cookies = installation.sign_ins.get(username, (-inf, []))
        if time.monotonic() - since_s < KEPT_S:
            kept = {"cookies": cookies, "origins": []}
            page = open_page(address, storage_state=kept, **options)
            page.wait_for_selector(LIVE)
            return page
        page = sign_in(username, address, **options)
        installation.sign_ins[username] = (time.monotonic(), page.context.cookies())
        return page

    return open_as
