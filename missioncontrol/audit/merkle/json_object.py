"""Reading a JSON object that another program may have written, in one way only.

Whoever verifies needs no canonical form: the octets are fixed by a hash. But two
readers must not see different things in them, so a name that stands twice, or a
number that JSON lacks, is refused.
"""

from __future__ import annotations

import json
from typing import Any, NoReturn, cast

from missioncontrol.audit.merkle.errors import FormatError
from missioncontrol.audit.merkle.text_fields import show
from missioncontrol.audit.merkle.tiles import MAX_ENTRY_OCTETS


class _AmbiguousError(ValueError):
    """Two readers could see different things."""


def read_object(octets: bytes, *, what: str) -> dict[str, Any]:
    """Return the JSON object in *octets*.

    Args:
        octets: UTF-8, at most as long as an entry may be.
        what: What it is, for the message, e.g. ``The entry``.

    Raises:
        FormatError: No JSON object, or one that can be read in two ways.
    """
    if len(octets) > MAX_ENTRY_OCTETS:
        raise FormatError(f"{what} has {len(octets)} octets; the limit is {MAX_ENTRY_OCTETS}.")
    try:
        value = json.loads(
            octets.decode("utf-8"), object_pairs_hook=_distinct, parse_constant=_no_number
        )
    except _AmbiguousError as error:
        raise FormatError(f"{what} {error}.") from error
    except (ValueError, RecursionError) as error:
        raise FormatError(f"{what} is not JSON.") from error
    if not isinstance(value, dict):
        raise FormatError(f"{what} is not a JSON object.")
    return cast("dict[str, Any]", value)


def _distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise _AmbiguousError(f"has the name {show(name)} twice")
        found[name] = value
    return found


def _no_number(text: str) -> NoReturn:
    raise _AmbiguousError(f"holds {text}, which JSON lacks")
