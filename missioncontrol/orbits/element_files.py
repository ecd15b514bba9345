"""Files of elements and ephemerides, whatever their format.

TLE with or without name lines; OMM as KVN, XML or JSON; OEM as KVN or XML. A
set that cannot be read does not spoil the others: it is returned with its
reason.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

from missioncontrol.orbits.elements import ElementsError
from missioncontrol.orbits.ndm import Message, messages_from_kvn, messages_from_xml
from missioncontrol.orbits.oem import ephemeris_from_message
from missioncontrol.orbits.omm import elements_from_fields, omms_in
from missioncontrol.orbits.orbit_ephemeris import AnyTrajectory
from missioncontrol.orbits.tle import elements_from_tle


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A set of elements that could not be read."""

    satellite: str
    reason: str


def read_elements(text: str) -> Iterator[AnyTrajectory | Unreadable]:
    """Yield what a file holds, in its order.

    Raises:
        ElementsError: The text as a whole is in none of the formats.
    """
    text = text.removeprefix("\ufeff")
    begin = text.lstrip()[:6]
    if begin[:1] in ("{", "["):
        for fields in omms_in(text):
            name = str(fields.get("OBJECT_NAME") or fields.get("NORAD_CAT_ID") or "?")
            yield _readable(name, partial(elements_from_fields, fields))
    elif begin.startswith("<"):
        yield from _messages(messages_from_xml(text))
    elif begin == "CCSDS_" or "CCSDS_O" in text[:2000]:
        yield from _messages(messages_from_kvn(text))
    else:
        yield from _two_line_sets(text)


def _messages(messages: Iterator[Message]) -> Iterator[AnyTrajectory | Unreadable]:
    found = False
    for message in messages:
        fields = message.fields
        name = fields.get("OBJECT_NAME") or fields.get("NORAD_CAT_ID") or "?"
        if message.kind == "OMM":
            yield _readable(name, partial(elements_from_fields, fields))
        elif message.kind == "OEM":
            yield _readable(name, partial(ephemeris_from_message, message))
        else:
            yield Unreadable(name, f"{message.kind} messages are not read here; give OMM or OEM.")
        found = True
    if not found:
        raise ElementsError("The file holds no OMM and no OEM.")


def _two_line_sets(text: str) -> Iterator[AnyTrajectory | Unreadable]:
    name, line1 = "", ""
    for number, raw in enumerate(text.splitlines(), start=1):
        line = raw.rstrip()
        if line.startswith("#"):
            continue
        if line.startswith("1 ") and not line1:
            line1 = line
        elif line.startswith("2 ") and line1:
            label = name or line1[2:7].strip()
            yield _readable(label, partial(elements_from_tle, label, line1, line))
            name, line1 = "", ""
        elif line1 or (name and line):
            yield Unreadable(
                name or line1[2:7].strip(),
                f"line {number} of the file: {line!r} is not the line of a TLE that was expected.",
            )
            name, line1 = line.removeprefix("0 ").strip(), ""
        elif line:
            name = line.removeprefix("0 ").strip()
    if name or line1:
        yield Unreadable(name or line1[2:7].strip(), "the file ends within a TLE.")


def _readable(name: str, read: Callable[[], AnyTrajectory]) -> AnyTrajectory | Unreadable:
    try:
        return read()
    except ElementsError as error:
        return Unreadable(name, str(error))
