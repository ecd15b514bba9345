"""What the tests of the pages for people share."""

from __future__ import annotations

from allauth.account.authentication import AUTHENTICATION_METHODS_SESSION_KEY
from django.contrib.messages import get_messages
from django.test import Client


def told(answer) -> str:
    return " ".join(str(message) for message in get_messages(answer.wsgi_request))


def make_stale(browser: Client) -> Client:
    """Let the last proof of who is signed in be ten minutes old."""
    session = browser.session
    for record in session[AUTHENTICATION_METHODS_SESSION_KEY]:
        record["at"] -= 600
    session.save()
    return browser
