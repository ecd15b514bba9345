"""The header ``Audit-Receipt``: what a request wrote into the log, by leaf hashes.

Its receipt can be asked for by each of them a moment later, when the sequencer
has published the entry.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from http import HTTPStatus
from typing import Final

from django.http import HttpRequest, HttpResponse

from missioncontrol.audit.models import AuditEntry
from missioncontrol.audit.services import collecting_entries

RECEIPT_HEADER: Final = "Audit-Receipt"
# Proxies bound what they take of headers, often to 8 KiB in all.
MAX_NAMED: Final = 32


class AuditReceipts:
    """Middleware: it names the entries that a request has committed, unless it was refused."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        with collecting_entries() as entries:
            response = self._get_response(request)
        if response.status_code < HTTPStatus.BAD_REQUEST:
            name_entries(response, entries)
        return response


def name_entries(response: HttpResponse, entries: Sequence[AuditEntry]) -> None:
    """Name *entries*, or the first ``MAX_NAMED``, in an answer that does not name any yet."""
    if entries:
        leaves = [bytes(each.leaf_hash).hex() for each in entries[:MAX_NAMED]]
        response.headers.setdefault(RECEIPT_HEADER, ", ".join(leaves))
