"""How many requests one web process works on at once.

Each has a thread, and a thread that reads has a connection to the database. A
crowd that comes in one moment would take more connections than a database has,
and then nobody would be answered; so those beyond the limit wait their turn.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from http import HTTPStatus
from typing import Final

from django.conf import settings
from django.db import connections
from django.http import HttpRequest, HttpResponse

WAIT_S: Final = 10.0
_TEXT: Final = "Too many requests are being answered at this moment. Ask again in a few seconds.\n"


class Admission:
    """Middleware; it stands before all that reads the database.

    A stream is let go when its head is answered: it stays open without a thread.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response
        self._places = threading.BoundedSemaphore(settings.REQUESTS_AT_ONCE)

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not self._places.acquire(timeout=WAIT_S):
            return HttpResponse(
                _TEXT,
                status=HTTPStatus.SERVICE_UNAVAILABLE,
                content_type="text/plain; charset=utf-8",
                headers={"Retry-After": "5"},
            )
        try:
            return self._get_response(request)
        finally:
            self._places.release()


def give_back_connections(**_signal: object) -> None:
    """Close what the request at its end has opened to the database.

    A request has a thread of its own, which ends with it. Django keeps a connection for the
    next request of its thread; there is none, and the connection would stay open until the
    garbage collector comes by: some hundred requests on, when the database has no more.
    """
    for connection in connections.all(initialized_only=True):
        if not connection.in_atomic_block:
            connection.close()
