"""The log for every member: read-only, as C2SP tlog-tiles serves it."""

from __future__ import annotations

from typing import Final

from django.http import HttpRequest, HttpResponse, HttpResponseNotFound
from django.views.decorators.http import require_safe

from missioncontrol.audit import selectors
from missioncontrol.audit.merkle.errors import VerificationError
from missioncontrol.audit.merkle.tiles import TILE_WIDTH, Tile, parse_tile_path

_TEXT: Final = "text/plain; charset=utf-8"
_OCTETS: Final = "application/octet-stream"
_FOR_EVER: Final = "private, max-age=31536000, immutable"
# A partial tile does not change either, but is of no use once its tile is full.
_FOR_A_MINUTE: Final = "private, max-age=60"


@require_safe
def checkpoint(_request: HttpRequest) -> HttpResponse:
    """Answer with the newest signed tree head, and the cosignatures that it has."""
    octets = selectors.public_checkpoint()
    if octets is None:
        return _not_found("The log has published no checkpoint yet.")
    return HttpResponse(octets, content_type=_TEXT, headers={"Cache-Control": "no-cache"})


@require_safe
def tile(_request: HttpRequest, path: str) -> HttpResponse:
    """Answer with a tile of hashes or a bundle of entries."""
    folder = selectors.log_folder()
    try:
        # The file is found by the coordinates read from the path, never by the path.
        place = parse_tile_path(path)
        octets = folder.read_tile(place) if isinstance(place, Tile) else folder.read_bundle(place)
    except VerificationError:
        return _not_found("The log has no such tile.")
    kept = _FOR_EVER if place.width == TILE_WIDTH else _FOR_A_MINUTE
    return HttpResponse(octets, content_type=_OCTETS, headers={"Cache-Control": kept})


@require_safe
def announcement(_request: HttpRequest, key_id: str) -> HttpResponse:
    """Answer with what a former key of the log said of its successor."""
    octets = selectors.log_folder().read_announcement_by_id(key_id)
    if octets is None:
        return _not_found("No key with this identifier has announced a successor.")
    return HttpResponse(octets, content_type=_TEXT, headers={"Cache-Control": _FOR_A_MINUTE})


def _not_found(text: str) -> HttpResponse:
    return HttpResponseNotFound(
        f"{text}\n", content_type=_TEXT, headers={"Cache-Control": "no-cache"}
    )
