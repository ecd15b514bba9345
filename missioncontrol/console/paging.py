"""Addresses of the same page with something else chosen."""

from __future__ import annotations

from dataclasses import dataclass

from django.http import HttpRequest

_LARGEST_PAGE = 10_000


@dataclass(frozen=True, slots=True)
class PageLinks:
    """Where the older and the newer rows are; empty where there are none."""

    older_url: str
    newer_url: str


def page_number(request: HttpRequest) -> int:
    """Return the page asked for, from 1; nonsense is the first."""
    text = request.GET.get("page", "1")
    return min(int(text), _LARGEST_PAGE) if text.isdecimal() and int(text) > 0 else 1


def page_links(request: HttpRequest, *, number: int, has_older: bool) -> PageLinks:
    """Return the links to the pages beside page *number*."""
    return PageLinks(
        older_url=with_query(request, page=str(number + 1)) if has_older else "",
        newer_url=with_query(request, page=str(number - 1)) if number > 1 else "",
    )


def with_query(request: HttpRequest, **changes: str) -> str:
    """Return the request's address with query parameters changed; an empty value drops one."""
    query = request.GET.copy()
    for name, value in changes.items():
        query.pop(name, None)
        if value:
            query[name] = value
    text = query.urlencode()
    return f"{request.path}?{text}" if text else request.path
