"""Read only what is new, change only what you have seen (RFC 9110 section 13).

The ETag of a resource is a digest of what the API shows of it, so it changes
when, and only when, the client would see something else.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final, TypeVar

from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.http import parse_etags
from ninja import Schema

from missioncontrol.api.problems import (
    NotModifiedError,
    PreconditionFailedError,
    PreconditionRequiredError,
)

_Shown = TypeVar("_Shown", bound=Schema)
_MARK: Final = "x-condition"
_DIGEST_CHARACTERS: Final = 32

# What an operation says of itself (openapi_extra): a read with an ETag, a change that heeds
# If-Match, a change that demands it.
READ: Final = {_MARK: "read"}
CHANGE: Final = {_MARK: "change"}
DEMANDING_CHANGE: Final = {_MARK: "demanding"}


def condition_of(operation: dict[str, Any]) -> str:
    """Return how an operation of the description is conditional, and take that mark off it."""
    mark: str = operation.pop(_MARK, "")
    return mark


def etag_of(shown: Schema) -> str:
    """Return the strong ETag of a representation."""
    digest = hashlib.sha256(shown.model_dump_json(by_alias=True).encode()).hexdigest()
    return f'"{digest[:_DIGEST_CHARACTERS]}"'


def tagged(request: HttpRequest, response: HttpResponse, shown: _Shown) -> _Shown:
    """Return *shown*, whose ETag goes out with it.

    Raises:
        NotModifiedError: the request is a read, and its client has just this.
        PreconditionFailedError: the request is a read of another state only.
    """
    etag = etag_of(shown)
    response["ETag"] = etag
    response["Cache-Control"] = "private, no-cache"  # kept by its reader, and asked for again
    if request.method == "GET":
        heed_condition(request, etag)
    return shown


def heed_condition(request: HttpRequest, etag: str) -> None:
    """Go on with a read only if it is wanted of what has this ETag now.

    Raises:
        NotModifiedError: its client has just this.
        PreconditionFailedError: it is wanted of another state only.
    """
    if not _passes_if_match(request, etag):
        raise _changed(request)
    if _is_listed(request.headers.get("If-None-Match", ""), etag):
        raise NotModifiedError(etag)


@contextmanager
def unchanged(
    request: HttpRequest,
    rows: QuerySet[Any],
    show: Callable[[], Schema | None],
    *,
    demanded: bool = False,
) -> Iterator[None]:
    """Make the change inside only if the thing is as the client has seen it.

    Args:
        request: With the ETag that was seen in ``If-Match``; what must not exist
            yet is asked for with ``If-None-Match: *``.
        rows: Whose change would change what is shown; they are locked until the
            change is committed, so that nobody else's comes in between.
        show: What is shown of it now; None where there is no such thing.
        demanded: Refuse a request that says neither.

    Raises:
        PreconditionFailedError: it is not.
        PreconditionRequiredError: the client does not say, and must.
    """
    if not _says(request):
        if demanded:
            raise PreconditionRequiredError(
                "Read it first, and send its ETag as If-Match, so that nobody else's change is "
                "lost; to make what is not there yet, send If-None-Match: *."
            )
        yield
        return
    with transaction.atomic():
        list(rows.select_for_update())
        shown = show()
        etag = etag_of(shown) if shown is not None else None
        if not _passes_if_match(request, etag) or (
            _is_listed(request.headers.get("If-None-Match", ""), etag)
        ):
            raise _changed(request)
        yield


def _says(request: HttpRequest) -> bool:
    return "If-Match" in request.headers or request.headers.get("If-None-Match", "") == "*"


def _passes_if_match(request: HttpRequest, etag: str | None) -> bool:
    seen = request.headers.get("If-Match")
    if seen is None:
        return True
    return etag is not None and (seen.strip() == "*" or etag in parse_etags(seen))


def _is_listed(header: str, etag: str | None) -> bool:
    """Compare weakly: a proxy that compresses makes a strong ETag weak."""
    if etag is None or not header:
        return False
    listed = {each.removeprefix("W/") for each in parse_etags(header)}
    return header.strip() == "*" or etag in listed


def _changed(request: HttpRequest) -> PreconditionFailedError:
    if "If-Match" in request.headers:
        return PreconditionFailedError(
            f"It has changed since you read it (If-Match: {request.headers['If-Match'][:80]}). "
            "Read it again, and decide anew."
        )
    return PreconditionFailedError("It is there already (If-None-Match: *). Read it first.")
