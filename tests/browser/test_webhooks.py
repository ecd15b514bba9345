"""A webhook from making it to what was sent, with a real receiver and the real sender."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from missioncontrol.client.webhooks import verify_webhook
from tests.browser.conftest import ROOT
from tests.browser.test_log import publish


@pytest.fixture
def receiver():
    """A receiver on this machine: what came, and the status that it answers with."""

    class Receiver(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            self.server.received.append((dict(self.headers), body))
            self.send_response(self.server.answer)
            self.end_headers()
            self.wfile.write(b"<b>try later</b>" if self.server.answer >= 400 else b"")

        def log_message(self, *_arguments):
            pass

    server = HTTPServer(("127.0.0.1", 0), Receiver)
    server.received, server.answer = [], 204
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def sender(installation):
    process = subprocess.Popen(
        [sys.executable, "manage.py", "run_webhook_deliveries"],
        cwd=ROOT,
        env={**os.environ, **installation.environment},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    yield process
    process.terminate()
    process.wait(timeout=20)


def make(page, receiver):
    """Make a webhook by the form and return the secret that is shown once."""
    page.click("#new-webhook")
    page.fill("#webhook-name", "from the browser")
    page.fill("#webhook-types", "webhook.create")
    page.fill("#webhook-url", "https://127.0.0.2/")
    with page.expect_response(lambda answer: answer.status == 422):
        page.click("#webhook-form button.primary")
    assert "is a loopback address" in page.text_content("#webhook-url-error")
    assert page.input_value("#webhook-types") == "webhook.create"
    page.fill("#webhook-url", f"http://127.0.0.1:{receiver.server_port}/hooks")
    page.click("#webhook-form button.primary")
    secret = page.text_content("#webhook-secret")
    page.click("text=I have it")
    return secret


def test_a_webhook_is_made_tried_and_looked_after(signed_in, installation, receiver, sender):
    page = signed_in("lena", "/webhooks/")
    secret = make(page, receiver)
    assert "Nothing was sent yet" in page.text_content("#deliveries")
    page.click("#ping")
    assert "webhook.ping is on its way" in page.text_content("#messages")
    publish(installation)

    # The open page learns of it by itself.
    arrived = page.locator("#deliveries tr[data-state=DELIVERED]", has_text="webhook.ping")
    arrived.wait_for()
    assert "204" in arrived.text_content()
    headers, body = receiver.received[-1]
    event = verify_webhook(secret, headers, body, now=datetime.now(UTC)).event
    assert event["type"] == "webhook.ping"

    receiver.answer = 500
    arrived.locator("[data-redeliver]").click()
    waiting = page.locator("#deliveries tr[data-state=WAITING]", has_text="500")
    waiting.wait_for()
    waiting.locator("summary").click()
    assert "<b>try later</b>" in waiting.locator("pre").text_content()
    assert "1 of 8" in waiting.text_content()

    page.goto(page.url)
    page.select_option("#filter-state", "FAILED")
    page.click("form.filters button")
    assert "None in this state." in page.text_content("#deliveries")
    page.click("#pause")
    assert "is paused" in page.text_content("#messages")
    page.click("text=New secret…")
    page.click("#rotate-secret")
    assert page.text_content("#webhook-secret") != secret
    page.click("text=I have it")
    page.click("#go-on")
    assert "is on" in page.text_content("#messages")
    page.click("text=Delete…")
    page.click("#delete-webhook")
    assert page.locator("#webhooks tr", has_text="from the browser").count() == 0


def test_who_signed_in_long_ago_proves_it_again_before_a_webhook_is_changed(sign_in, installation):
    page = sign_in("lena", "/webhooks/1/")
    installation.make_stale("lena")
    page.click("#pause")
    assert page.text_content("h1") == "Confirm that it is you"
    page.fill("#id_password", "a pass-phrase for the tests")
    page.click("#confirm button.primary")
    assert "is paused" in page.text_content("#messages")
    page.click("#go-on")
