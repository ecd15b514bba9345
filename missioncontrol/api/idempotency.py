"""A request that comes again under the same Idempotency-Key is answered again, not done again.

The key is taken by inserting a row in the transaction of the change itself. So
there is no request "in progress": a second one waits at the row until the first
is over, and then finds its answer, or, if the first was refused, takes the key.

After draft-ietf-httpapi-idempotency-key-header; the key is taken as it is sent.
"""

from __future__ import annotations

import functools
import hashlib
import inspect
import re
from collections.abc import Callable
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Any, Final

from django.db import transaction
from django.http import HttpRequest, HttpResponse

from missioncontrol.accounts.gate import principal_of
from missioncontrol.accounts.models import ApiToken
from missioncontrol.api.authentication import SAFE_METHODS
from missioncontrol.api.models import KeptAnswer
from missioncontrol.api.problems import FieldError, invalid_input, problem
from missioncontrol.audit.receipt_header import name_entries
from missioncontrol.audit.services import collecting_before_commit, still_standing
from missioncontrol.kernel import clock
from missioncontrol.kernel.sealing import seal, unseal

KEY_HEADER: Final = "Idempotency-Key"
REPLAY_HEADER: Final = "Idempotent-Replayed"
KEPT_FOR: Final = timedelta(hours=48)
KEY_PATTERN: Final = "^[\\x21-\\x7e]{1,80}$"
_PURPOSE: Final = "kept-answer"
_Run = Callable[..., Any]


def once(run: _Run) -> _Run:
    """Let an operation answer a repeated request as it answered the first.

    What it changes commits with what is kept of its answer, and only if it
    succeeds (2xx).
    """
    if inspect.iscoroutinefunction(run):
        return run  # a live stream, which changes nothing

    @functools.wraps(run)
    def answer(request: HttpRequest, **path: Any) -> HttpResponse:
        return _answered_once(request, lambda: run(request, **path))

    return answer


def _answered_once(request: HttpRequest, answer: Callable[[], HttpResponse]) -> HttpResponse:
    key = request.headers.get(KEY_HEADER)
    token = principal_of(request).token
    if key is None or request.method in SAFE_METHODS or token is None:
        return answer()
    if not re.fullmatch(KEY_PATTERN, key):
        allowed = "1 to 80 visible ASCII characters; a new key for each new request"
        return invalid_input(
            request, [FieldError(field=f"header.{KEY_HEADER}", value=key[:120], allowed=allowed)]
        )
    digest = _digest(request)  # before the transaction: a body may come slowly
    with transaction.atomic():
        kept, is_first = KeptAnswer.objects.get_or_create(
            organisation=token.organisation,
            operator=token.operator,
            key=key,
            defaults={
                "request_digest": digest,
                "scopes": token.scopes,
                "asked_at": clock.wall_now(),
            },
        )
        if not is_first:
            return _again(request, kept, token, digest)
        with collecting_before_commit() as entries:
            response = answer()
        if HTTPStatus.OK <= response.status_code < HTTPStatus.MULTIPLE_CHOICES:
            # Here and not after the commit: a repeated request is told of the same entries.
            name_entries(response, still_standing(entries))
            _keep(kept, response)
        else:
            transaction.set_rollback(True)
    return response


def forget_answers(*, wall_at: datetime) -> int:
    """Delete what was kept long enough; return how many answers."""
    deleted, _ = KeptAnswer.objects.filter(asked_at__lt=wall_at - KEPT_FOR).delete()
    return deleted


def _digest(request: HttpRequest) -> str:
    asked = f"{request.method} {request.get_full_path()}\n".encode() + request.body
    return hashlib.sha256(asked).hexdigest()


def _keep(kept: KeptAnswer, response: HttpResponse) -> None:
    kept.status = response.status_code
    kept.headers = dict(response.headers)
    kept.sealed_body = seal(response.content.decode(), purpose=_PURPOSE)
    kept.save(update_fields=["status", "headers", "sealed_body"])


def _again(request: HttpRequest, kept: KeptAnswer, token: ApiToken, digest: str) -> HttpResponse:
    if kept.request_digest != digest:
        return problem(
            request,
            HTTPStatus.UNPROCESSABLE_ENTITY,
            "idempotency-key-reused",
            f"The {KEY_HEADER} {kept.key!r} belongs to another request: method, address or body "
            "differ. Send a new key with a new request.",
        )
    if not set(kept.scopes) <= set(token.scopes):
        return problem(
            request,
            HTTPStatus.FORBIDDEN,
            "not-permitted",
            "The answer to this request was given to a token with scopes that this one lacks: "
            f"{', '.join(sorted(set(kept.scopes) - set(token.scopes)))}.",
        )
    return HttpResponse(
        unseal(kept.sealed_body, purpose=_PURPOSE),
        status=kept.status,
        headers={**kept.headers, REPLAY_HEADER: "true"},
    )
