"""What can be asked for, found by looking: addresses, operations, sockets and commands.

Nothing here is a list that somebody keeps: a route that is added is found.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterator

from django.core.management import get_commands
from django.urls import URLPattern, URLResolver, get_resolver
from django.urls.resolvers import RegexPattern

from missioncontrol.api.application import api
from missioncontrol.client.command_line import _parser as mc_parser
from missioncontrol.routing import websocket_urlpatterns

_OURS = ("missioncontrol", "telemetry", "uplink")


def addresses() -> dict[str, URLPattern]:
    """Return every address of the URL configuration, as ``/passes/{contact_id}/``."""
    return dict(_walk(get_resolver().url_patterns, "/"))


def _walk(
    patterns: list[URLPattern | URLResolver], prefix: str
) -> Iterator[tuple[str, URLPattern]]:
    for each in patterns:
        address = prefix + _text(each)
        if isinstance(each, URLResolver):
            yield from _walk(each.url_patterns, address)
        else:
            yield address, each


def _text(each: URLPattern | URLResolver) -> str:
    text = str(each.pattern)
    if isinstance(each.pattern, RegexPattern):
        text = re.sub(r"\(\?P<(\w+)>(?:[^()\[\]]|\[[^\]]*\])*\)", r"{\1}", text)
        return text.removeprefix("^").removesuffix("$").replace("(?:/|$)", "/")
    return re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", text)


def operations() -> list[str]:
    """Return every operation of the API's description, as ``GET /api/v1/jobs/{number}``."""
    return [
        f"{method.upper()} {path}"
        for path, methods in api.get_openapi_schema()["paths"].items()
        for method in methods
    ]


def sockets() -> list[str]:
    """Return every websocket, as ``/ws/live/``."""
    return [f"/{_text(each)}" for each in websocket_urlpatterns]


def management_commands() -> list[str]:
    """Return the product's own commands, as ``manage.py verify_log``."""
    return [
        f"manage.py {name}"
        for name, app in get_commands().items()
        if str(app).partition(".")[0] in _OURS
    ]


def client_commands() -> list[str]:
    """Return the commands of the members' client, as ``mc log verify``."""
    return list(_subcommands(mc_parser(), "mc"))


def _subcommands(parser: argparse.ArgumentParser, name: str) -> Iterator[str]:
    choices = [
        action.choices
        for action in parser._actions
        if isinstance(action, argparse._SubParsersAction)
    ]
    if not choices:
        yield name
    for further in choices:
        for word, subparser in further.items():
            yield from _subcommands(subparser, f"{name} {word}")
