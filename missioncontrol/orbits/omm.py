"""Orbit Mean-Elements Messages: CCSDS 502.0-B-3 section 4, theory SGP4, frame TEME."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import TypeVar

from missioncontrol.orbits.elements import ElementsError, MeanElements
from missioncontrol.orbits.ndm import messages_from_kvn, messages_from_xml, time_in

_T = TypeVar("_T")


def elements_from_omm(document: str | Mapping[str, object]) -> MeanElements:
    """Read one Orbit Mean-Elements Message.

    Args:
        document: The message as text in KVN, XML or JSON, or as a mapping of
            OMM keywords to values.

    Raises:
        ElementsError: Not one OMM, a keyword missing or unreadable, or a theory,
            frame, time system or centre other than SGP4, TEME, UTC, EARTH.

    Source:
        CCSDS 502.0-B-3 section 4.2 (keywords) and 7.5 (dates, units).
    """
    if not isinstance(document, str):
        return elements_from_fields(document)
    messages = omms_in(document)
    if len(messages) != 1:
        raise ElementsError(f"The text holds {len(messages)} sets; pass them one by one.")
    return elements_from_fields(messages[0])


def omms_in(text: str) -> list[Mapping[str, object]]:
    """Return the keywords and values of every OMM in a text: KVN, XML or JSON.

    Raises:
        ElementsError: The text is none of these.
    """
    if text.lstrip()[:1] in ("{", "["):
        return _json_objects(text)
    read = messages_from_xml if text.lstrip().startswith("<") else messages_from_kvn
    return [message.fields for message in read(text) if message.kind == "OMM"]


def elements_from_fields(document: Mapping[str, object]) -> MeanElements:
    """Read one OMM from its keywords; raises as :func:`elements_from_omm`."""
    fields = {key.upper(): str(value) for key, value in document.items() if value is not None}
    name = fields.get("OBJECT_NAME") or fields.get("NORAD_CAT_ID") or "the object"
    _check_theory(name, fields)

    def value(keyword: str, read: Callable[[str], _T], default: str | None = None) -> _T:
        text = fields.get(keyword) or default
        if text is None:
            raise ElementsError(f"OMM of {name}: the keyword {keyword} is missing.")
        try:
            return read(text)
        except ValueError:
            raise ElementsError(f"OMM of {name}: {keyword} = {text!r} cannot be read.") from None

    return MeanElements(
        name=name,
        catalogue_number=value("NORAD_CAT_ID", int, "0"),
        object_id=fields.get("OBJECT_ID", ""),
        epoch=value("EPOCH", time_in),
        mean_motion_rev_per_day=value("MEAN_MOTION", float),
        eccentricity=value("ECCENTRICITY", float),
        inclination_deg=value("INCLINATION", float),
        raan_deg=value("RA_OF_ASC_NODE", float),
        argument_of_perigee_deg=value("ARG_OF_PERICENTER", float),
        mean_anomaly_deg=value("MEAN_ANOMALY", float),
        bstar_per_earth_radius=value("BSTAR", float, "0"),
        mean_motion_dot_rev_per_day2=value("MEAN_MOTION_DOT", float, "0"),
        mean_motion_ddot_rev_per_day3=value("MEAN_MOTION_DDOT", float, "0"),
        element_set_number=value("ELEMENT_SET_NO", int, "999"),
        revolution_at_epoch=value("REV_AT_EPOCH", int, "0"),
        classification=fields.get("CLASSIFICATION_TYPE") or "U",
    )


def _check_theory(name: str, fields: Mapping[str, str]) -> None:
    for keyword, expected in (
        ("MEAN_ELEMENT_THEORY", ("SGP4", "SGP/SGP4")),
        ("REF_FRAME", ("TEME",)),
        ("TIME_SYSTEM", ("UTC",)),
        ("CENTER_NAME", ("EARTH",)),
    ):
        # JSON as CelesTrak serves it leaves these out: then they hold by definition.
        if fields.get(keyword, expected[0]).upper() not in expected:
            raise ElementsError(
                f"OMM of {name}: {keyword} is {fields[keyword]!r}; "
                f"only {' or '.join(expected)} can be propagated here."
            )


def _json_objects(text: str) -> list[Mapping[str, object]]:
    try:
        parsed = json.loads(text)
    except json.JSONDecodeError as error:
        raise ElementsError(f"The OMM is no JSON: {error}.") from None
    objects = parsed if isinstance(parsed, list) else [parsed]
    if not all(isinstance(one, dict) for one in objects):
        raise ElementsError("The OMM is JSON, but not an object of keywords.")
    return objects
