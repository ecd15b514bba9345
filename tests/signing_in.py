"""A browser without a screen, signed in as a person signs in."""

from __future__ import annotations

from django.test import Client

from missioncontrol.accounts.models import Operator

PASSWORD = "a pass-phrase for the tests"


def signed_in(operator: Operator, **options) -> Client:
    """Give *operator* the tests' password, sign them in by the form, return the browser."""
    browser = Client(**options)
    sign_in(browser, operator)
    return browser


def sign_in(browser: Client, operator: Operator) -> None:
    """Give *operator* the tests' password and sign them in by the form."""
    if not operator.check_password(PASSWORD):
        operator.set_password(PASSWORD)
        operator.save(update_fields=["password"])
    answer = browser.post(
        "/signin/", {"login": operator.username, "password": PASSWORD}, **_form_token(browser)
    )
    assert answer.status_code == 302, answer.content.decode()


def _form_token(browser: Client) -> dict:
    """Return the header that a browser sends which checks for forged forms."""
    if not browser.handler.enforce_csrf_checks:
        return {}
    browser.get("/signin/")
    return {"headers": {"X-CSRFToken": browser.cookies["csrf"].value}}
