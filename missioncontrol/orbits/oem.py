"""Orbit Ephemeris Messages: CCSDS 502.0-B-3 section 5, in KVN and XML."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Final, TypeVar

import numpy as np

from missioncontrol.orbits import frames
from missioncontrol.orbits.arrays import Floats
from missioncontrol.orbits.elements import ElementsError
from missioncontrol.orbits.ndm import (
    Message,
    Segment,
    messages_from_kvn,
    messages_from_xml,
    time_in,
)
from missioncontrol.orbits.orbit_ephemeris import EphemerisSegment, Interpolation, OrbitEphemeris
from missioncontrol.orbits.time_systems import TIME_SYSTEMS, utc_from

# The standard leaves it open; states hold velocities, so they may as well be used.
_DEFAULT_INTERPOLATION: Final = "HERMITE"
_DEFAULT_DEGREE: Final = "7"
_HIGHEST_DEGREE: Final = 25

_T = TypeVar("_T")


def ephemeris_from_oem(text: str) -> OrbitEphemeris:
    """Read one Orbit Ephemeris Message, KVN or XML.

    Raises:
        ElementsError: Not one OEM, a keyword missing or unreadable, states out
            of order or too few for the interpolation, or a centre, frame or
            time system that is not known here.

    Source:
        CCSDS 502.0-B-3 section 5.2; 5.2.4.6: no interpolation from one segment
        into another.
    """
    messages = oems_in(text)
    if len(messages) != 1:
        raise ElementsError(f"The text holds {len(messages)} OEMs; pass them one by one.")
    return ephemeris_from_message(messages[0])


def oems_in(text: str) -> list[Message]:
    """Return every OEM in a text.

    Raises:
        ElementsError: The text is neither KVN nor XML.
    """
    read = messages_from_xml if text.lstrip().startswith("<") else messages_from_kvn
    return [message for message in read(text) if message.kind == "OEM"]


def ephemeris_from_message(message: Message) -> OrbitEphemeris:
    """Read a message's segments; raises as :func:`ephemeris_from_oem`."""
    segments = [_segment(one) for one in message.segments[1:]]
    if not segments:
        raise ElementsError("The OEM holds no segment; at least one is needed.")
    segments.sort(key=lambda one: one.start)
    for before, after in pairwise(segments):
        if after.start < before.stop:
            raise ElementsError(
                f"OEM of {after.name}: the segment from {after.start:%Y-%m-%d %H:%M:%SZ} may be "
                f"used before the one that ends at {before.stop:%Y-%m-%d %H:%M:%SZ} is over; "
                "give USEABLE_START_TIME and USEABLE_STOP_TIME that do not overlap."
            )
    first = message.segments[1].fields
    return OrbitEphemeris(
        name=segments[0].name, object_id=first.get("OBJECT_ID", ""), segments=tuple(segments)
    )


def _segment(segment: Segment) -> EphemerisSegment:
    fields = segment.fields
    name = fields.get("OBJECT_NAME") or fields.get("OBJECT_ID") or "the object"

    def value(keyword: str, read: Callable[[str], _T], default: str | None = None) -> _T:
        text = fields.get(keyword) or default
        if text is None:
            raise ElementsError(f"OEM of {name}: the keyword {keyword} is missing.")
        try:
            return read(text)
        except ValueError:
            raise ElementsError(f"OEM of {name}: {keyword} = {text!r} cannot be read.") from None

    frame, system = value("REF_FRAME", str.upper), value("TIME_SYSTEM", str.upper)
    _check_known(name, "CENTER_NAME", value("CENTER_NAME", str.upper), ("EARTH",))
    _check_known(name, "TIME_SYSTEM", system, TIME_SYSTEMS)
    if not frames.is_known(frame):
        known = ("TEME", *frames.INERTIAL_FRAMES, f"{frames.EARTH_FIXED_PREFIX}...")
        _check_known(name, "REF_FRAME", frame, known)

    def instant(text: str) -> datetime:
        return utc_from(system, time_in(text))

    epochs, states = _states(name, segment.states, instant)
    start, stop = fields.get("START_TIME"), fields.get("STOP_TIME")
    result = EphemerisSegment(
        name=name,
        frame=frame,
        epoch=epochs[0],
        seconds=np.array([(one - epochs[0]) / timedelta(seconds=1) for one in epochs]),
        position_km=states[:, :3],
        velocity_km_s=states[:, 3:],
        start=max(value("USEABLE_START_TIME", instant, start), epochs[0]),
        stop=min(value("USEABLE_STOP_TIME", instant, stop), epochs[-1]),
        interpolation=value("INTERPOLATION", _interpolation, _DEFAULT_INTERPOLATION),
        degree=value("INTERPOLATION_DEGREE", _degree, _DEFAULT_DEGREE),
    )
    _check_usable(result)
    return result


def _states(
    name: str, lines: Sequence[Sequence[str]], instant: Callable[[str], datetime]
) -> tuple[list[datetime], Floats]:
    """Return epochs and states (n, 6) of a segment's lines, checked."""
    epochs: list[datetime] = []
    states: list[list[float]] = []
    for number, line in enumerate(lines, start=1):
        try:
            at, state = instant(line[0]), [float(text) for text in line[1:7]]
        except ValueError:
            raise ElementsError(
                f"OEM of {name}, state {number}: {' '.join(line)!r} cannot be read."
            ) from None
        if len(state) != 6 or not np.isfinite(state).all():
            raise ElementsError(
                f"OEM of {name}, state {number}: {' '.join(line)!r} holds no position and "
                "velocity; give epoch, X, Y, Z, X_DOT, Y_DOT, Z_DOT."
            )
        if epochs and at <= epochs[-1]:
            raise ElementsError(
                f"OEM of {name}, state {number}: {line[0]} is not after the state before it."
            )
        epochs.append(at)
        states.append(state)
    if not epochs:
        raise ElementsError(f"OEM of {name}: a segment holds no states.")
    return epochs, np.array(states)


def _check_known(name: str, keyword: str, given: str, known: Sequence[str]) -> None:
    if given not in known:
        raise ElementsError(
            f"OEM of {name}: {keyword} is {given!r}; only {', '.join(known)} can be used here."
        )


def _check_usable(segment: EphemerisSegment) -> None:
    if segment.stop <= segment.start:
        raise ElementsError(
            f"OEM of {segment.name}: the usable span of a segment ends at "
            f"{segment.stop:%Y-%m-%d %H:%M:%SZ}, not after its start."
        )
    if len(segment.seconds) < segment.points:
        raise ElementsError(
            f"OEM of {segment.name}: {segment.interpolation} interpolation of degree "
            f"{segment.degree} needs {segment.points} states; a segment holds "
            f"{len(segment.seconds)}."
        )


def _interpolation(text: str) -> Interpolation:
    return Interpolation(text.upper())


def _degree(text: str) -> int:
    degree = int(text)
    if not 1 <= degree <= _HIGHEST_DEGREE:
        raise ValueError(text)
    return degree
