"""The shape that CCSDS navigation data messages have in common, as KVN and as XML.

Only what orbit data messages (OMM, OEM) need of it: keywords with their values,
as text, and the lines of an ephemeris.

Sources: CCSDS 502.0-B-3 section 7 (KVN) and section 8 (XML).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from lxml import etree

from missioncontrol.orbits.elements import ElementsError

_VERSION: Final = re.compile(r"CCSDS_([A-Z]+)_VERS")
_UNIT: Final = re.compile(r"\s*\[[^\]]*\]$")  # "98.2 [deg]"
_STATE: Final = ("EPOCH", "X", "Y", "Z", "X_DOT", "Y_DOT", "Z_DOT")


@dataclass(slots=True)
class Segment:
    """Keywords, and the ephemeris lines that follow them."""

    fields: dict[str, str] = field(default_factory=dict)
    states: list[list[str]] = field(default_factory=list)


@dataclass(slots=True)
class Message:
    """One message: OMM, OEM, or another kind."""

    kind: str
    segments: list[Segment] = field(default_factory=list)

    @property
    def fields(self) -> dict[str, str]:
        """All keywords of a message that has but one segment."""
        return {key: value for one in self.segments for key, value in one.fields.items()}


def messages_from_kvn(text: str) -> Iterator[Message]:
    """Yield the messages of a text in keyword-value notation.

    Raises:
        ElementsError: A line that is neither keyword, comment nor ephemeris data.
    """
    message: Message | None = None
    in_covariance = False
    for number, raw in enumerate(text.splitlines(), start=1):
        line = raw.strip()
        if not line or line.split()[0] == "COMMENT":
            continue
        version = _VERSION.match(line)
        if version:
            if message is not None:
                yield message
            message, in_covariance = Message(version[1], [Segment()]), False
        elif line in ("COVARIANCE_START", "COVARIANCE_STOP"):
            in_covariance = line == "COVARIANCE_START"
        elif not in_covariance:
            message = message or Message("OMM", [Segment()])
            _take_line(message, line, number)
    if message is not None:
        yield message


def _take_line(message: Message, line: str, number: int) -> None:
    if line == "META_START":
        message.segments.append(Segment())
    elif "=" in line:
        keyword, _, value = line.partition("=")
        message.segments[-1].fields[keyword.strip().upper()] = _UNIT.sub("", value.strip())
    elif message.kind == "OEM" and len(message.segments) > 1:
        if line != "META_STOP":
            message.segments[-1].states.append(line.split())
    else:
        raise ElementsError(f"{message.kind} line {number}: {line!r} is not 'keyword = value'.")


def messages_from_xml(text: str) -> Iterator[Message]:
    """Yield the messages of an XML document: one alone, or several in an ``ndm``.

    Raises:
        ElementsError: No XML, or a document type declaration in it.
    """
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
    try:
        root = etree.fromstring(text.encode(), parser)
    except etree.XMLSyntaxError as error:
        raise ElementsError(f"The message is no XML: {error}.") from None
    docinfo: Any = root.getroottree().docinfo
    if docinfo.doctype:
        raise ElementsError("The message carries a document type declaration; leave it out.")
    for element in [root, *root]:
        if _name(element) not in ("", "ndm") and element.get("id", "").startswith("CCSDS_"):
            kind = _name(element).upper()
            segments = [one for one in element.iter() if _name(one) == "segment"]
            yield Message(kind, [Segment(), *(_segment(one) for one in segments)])


def _segment(element: etree._Element) -> Segment:
    segment = Segment()
    for part in element.iter():
        if _name(part) == "stateVector":
            values = {_name(one): (one.text or "").strip() for one in part}
            segment.states.append([values[name] for name in _STATE if name in values])
        elif len(part) == 0 and not _is_within(part, "stateVector", "covarianceMatrix"):
            segment.fields[_name(part).upper()] = (part.text or "").strip()
    return segment


def _is_within(element: etree._Element, *names: str) -> bool:
    return any(_name(one) in names for one in element.iterancestors())


def _name(element: etree._Element) -> str:
    """Return the name of an element without its namespace; empty for a comment."""
    tag: Any = element.tag
    return etree.QName(element).localname if isinstance(tag, str) else ""


def time_in(text: str) -> datetime:
    """Read a calendar or day-of-year time as if it were UTC (502.0-B-3 section 7.5.10).

    Raises:
        ValueError: It is neither, or carries another zone than ``Z``.
    """
    text = text.removesuffix("Z")
    if re.match(r"\d{4}-\d{3}T", text):
        day, _, clock = text.partition("T")
        text = f"{datetime.strptime(day, '%Y-%j').replace(tzinfo=UTC):%Y-%m-%d}T{clock}"
    whole, point, fraction = text.partition(".")
    if point and not fraction.isdigit():
        raise ValueError(text)
    at = datetime.fromisoformat(f"{whole}.{fraction:0<6.6}" if fraction else whole)
    if at.tzinfo is not None:
        raise ValueError(text)
    return at.replace(tzinfo=UTC)
