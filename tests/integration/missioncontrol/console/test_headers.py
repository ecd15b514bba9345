"""What every answer tells the browser, as behind the proxy that speaks TLS."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest
from django.test import Client

from missioncontrol.accounts.policy import Role
from tests import factories
from tests.signing_in import sign_in

pytestmark = pytest.mark.django_db

_SAY = """
import json, os, tempfile
os.environ["VAR_DIR"] = tempfile.mkdtemp()
from missioncontrol import settings
names = [name for name in dir(settings) if name.startswith(("SECURE_", "SESSION_COOKIE", "CSRF_"))]
print(json.dumps({name: getattr(settings, name) for name in names}))
"""


@pytest.fixture(scope="module")
def settings_over_tls():
    """What the product's settings are with SERVED_OVER_TLS; they are read as it starts."""
    said = subprocess.run(
        [sys.executable, "-c", _SAY],
        env={**os.environ, "SERVED_OVER_TLS": "yes"},
        capture_output=True,
        check=True,
    )
    return json.loads(said.stdout)


@pytest.fixture
def browser(settings, settings_over_tls):
    for name, value in settings_over_tls.items():
        setattr(settings, name, tuple(value) if isinstance(value, list) else value)
    return Client(headers={"X-Forwarded-Proto": "https"})


@pytest.fixture
def signed_in_browser(browser):
    sign_in(browser, factories.operator("alice", Role.OPERATOR))
    return browser


@pytest.mark.parametrize(
    "path",
    ["/", "/signin/", "/nothing", "/api/v1/me", "/api/v1/nothing", "/log/checkpoint",
     "/static/console/console.css", "/static/console/icons.svg"],
)  # fmt: skip
@pytest.mark.parametrize("who", ["browser", "signed_in_browser"])
def test_every_answer_forbids_the_browser_what_nobody_needs(request, who, path):
    answer = request.getfixturevalue(who).get(path)
    policy = answer["Content-Security-Policy"]
    for directive in ("default-src 'self'", "object-src 'none'", "base-uri 'none'"):
        assert directive in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Referrer-Policy"] == "same-origin"
    assert answer["Strict-Transport-Security"] == "max-age=31536000; includeSubDomains"
    assert "Access-Control-Allow-Origin" not in answer
    assert "utf-8" in answer["Content-Type"] or "text" not in answer["Content-Type"]
    answer.close()


def test_cookies_are_for_this_host_over_tls_and_no_script(signed_in_browser):
    signed_in_browser.get("/account/password/")
    cookies = signed_in_browser.cookies
    assert set(cookies) == {"__Host-session", "__Host-csrf"}
    for cookie in cookies.values():
        assert (cookie["secure"], cookie["httponly"], cookie["samesite"]) == (True, True, "Lax")
        assert (cookie["path"], cookie["domain"]) == ("/", "")


def test_plain_http_is_led_to_tls(browser):
    answer = browser.get("/signin/", headers={"X-Forwarded-Proto": "http"})
    assert (answer.status_code, answer["Location"]) == (301, "https://testserver/signin/")


def test_pages_in_clear_are_led_to_tls_and_the_api_is_refused(browser):
    in_clear = Client()
    page = in_clear.get("/jobs/")
    assert (page.status_code, page["Location"]) == (301, "https://testserver/jobs/")
    for path in ("/api/v1/me", "/api/nothing"):
        answer = in_clear.get(path, headers={"Authorization": "Bearer mc_x"})
        assert answer.status_code == 403
        assert answer["Content-Type"] == "application/problem+json"
        assert answer.json()["type"].endswith(":https-needed")
        assert "revoke it" in answer.json()["detail"]
        assert "Strict-Transport-Security" not in answer  # it means nothing in clear
