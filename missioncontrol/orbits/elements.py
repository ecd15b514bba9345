"""Mean orbital elements: what a TLE or an OMM says, checked, in one shape.

Sources: the TLE format as published by CelesTrak and Space-Track; OMM in
CCSDS 502.0-B-3 section 4 (Orbit Mean-Elements Message), mean element theory
SGP4, frame TEME.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, TypeVar

import numpy as np
from sgp4.alpha5 import from_alpha5
from sgp4.api import WGS72, Satrec
from sgp4.exporter import export_tle

from missioncontrol.orbits.arrays import Floats
from missioncontrol.orbits.earth_rotation import julian_day
from missioncontrol.orbits.time_grid import longest_sound_step_s
from missioncontrol.orbits.trajectory import PropagationError

# The published error of SGP4 grows by roughly 1-3 km a day: past two weeks a
# window's edge may be off by more than an antenna's acquisition margin.
DEFAULT_ELEMENTS_AGE_LIMIT: Final = timedelta(days=14)

_SGP4_EPOCH: Final = datetime(1949, 12, 31, tzinfo=UTC)
_REV_PER_DAY_TO_RAD_PER_MIN: Final = math.tau / 1440.0
_TLE_LENGTH: Final = 69
_LARGEST_ALPHA5: Final = 339_999  # "Z9999", the last number that a TLE can carry

_T = TypeVar("_T")


class ElementsError(ValueError):
    """A TLE or an OMM that does not say what it must."""


class StaleElementsError(ValueError):
    """The orbital elements are too far from the interval asked about."""

    def __init__(
        self, *, name: str, epoch: datetime, start: datetime, end: datetime, limit: timedelta
    ) -> None:
        self.name = name
        self.epoch = epoch
        self.limit = limit
        if end - epoch > limit:
            distance = f"{_days(end - epoch)} days before the end"
            remedy = "Load newer elements."
        else:
            distance = f"{_days(epoch - start)} days after the start"
            remedy = "Load elements of that time."
        super().__init__(
            f"Orbital elements of {name} date from {epoch:%Y-%m-%d %H:%MZ}, {distance} "
            f"of the interval; the limit is {_days(limit)} days. {remedy}"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class MeanElements:
    """One SGP4 mean element set (TEME, gravity model WGS72)."""

    name: str
    catalogue_number: int  # NORAD_CAT_ID; may exceed 99,999
    object_id: str  # international designator, 2026-001A; empty when unknown
    epoch: datetime  # aware, UTC
    mean_motion_rev_per_day: float  # Kozai's, as TLE and OMM give it
    eccentricity: float
    inclination_deg: float
    raan_deg: float
    argument_of_perigee_deg: float
    mean_anomaly_deg: float
    bstar_per_earth_radius: float = 0.0
    mean_motion_dot_rev_per_day2: float = 0.0  # half the derivative, as published
    mean_motion_ddot_rev_per_day3: float = 0.0  # a sixth of it, as published
    element_set_number: int = 999
    revolution_at_epoch: int = 0
    classification: str = "U"

    def __post_init__(self) -> None:
        if self.epoch.tzinfo is None:
            raise ElementsError(f"The epoch {self.epoch} of {self.name} carries no time zone.")
        for label, value, low, high in (
            ("eccentricity", self.eccentricity, 0.0, 0.999999),
            ("inclination in degrees", self.inclination_deg, 0.0, 180.0),
            ("mean motion in revolutions per day", self.mean_motion_rev_per_day, 0.01, 20.0),
            ("right ascension of the node in degrees", self.raan_deg, -360.0, 360.0),
            ("argument of perigee in degrees", self.argument_of_perigee_deg, -360.0, 360.0),
            ("mean anomaly in degrees", self.mean_anomaly_deg, -360.0, 360.0),
            ("B* per Earth radius", self.bstar_per_earth_radius, -10.0, 10.0),
        ):
            if not low <= value <= high:  # a NaN fails this comparison too
                raise ElementsError(
                    f"The {label} of {self.name} is {value}; it must lie in {low:g} to {high:g}."
                )

    @property
    def sound_step_s(self) -> float:
        """The longest step in which a grid of positions describes the orbit."""
        return longest_sound_step_s(
            mean_motion_rad_s=self.mean_motion_rev_per_day * math.tau / 86400.0,
            eccentricity=self.eccentricity,
        )

    def satrec(self) -> Satrec:
        """Return the SGP4 propagator of this set, initialised (``improved`` mode)."""
        satrec = Satrec()
        # Any number beyond Alpha-5 would be refused, and the physics needs none.
        number = self.catalogue_number if self.catalogue_number <= _LARGEST_ALPHA5 else 0
        satrec.sgp4init(
            WGS72,
            "i",
            number,
            (self.epoch - _SGP4_EPOCH) / timedelta(days=1),
            self.bstar_per_earth_radius,
            self.mean_motion_dot_rev_per_day2 * _REV_PER_DAY_TO_RAD_PER_MIN / 1440.0,
            self.mean_motion_ddot_rev_per_day3 * _REV_PER_DAY_TO_RAD_PER_MIN / 1440.0**2,
            self.eccentricity,
            math.radians(self.argument_of_perigee_deg),
            math.radians(self.inclination_deg),
            math.radians(self.mean_anomaly_deg),
            self.mean_motion_rev_per_day * _REV_PER_DAY_TO_RAD_PER_MIN,
            math.radians(self.raan_deg),
        )
        return satrec

    def teme_states(self, midnight: datetime, seconds: Floats) -> tuple[Floats, Floats]:
        """Run SGP4 at any times; see :class:`.trajectory.Trajectory`."""
        whole = np.full_like(seconds, julian_day(midnight))
        errors, position_km, velocity_km_s = self.satrec().sgp4_array(whole, seconds / 86400.0)
        [wrong] = np.nonzero(errors)
        if len(wrong):
            at = midnight + timedelta(seconds=float(seconds[wrong[0]]))
            raise PropagationError.of_sgp4(name=self.name, code=int(errors[wrong[0]]), at=at)
        return position_km, velocity_km_s

    def tle_lines(self) -> tuple[str, str]:
        """Return the set as the two lines of a TLE, rounded to its digits.

        Raises:
            ElementsError: The catalogue number is beyond what a TLE can carry.
        """
        if self.catalogue_number > _LARGEST_ALPHA5:
            raise ElementsError(
                f"Catalogue number {self.catalogue_number} of {self.name} does not fit in a TLE; "
                f"the limit is {_LARGEST_ALPHA5}. Exchange it as an OMM."
            )
        satrec = self.satrec()
        satrec.classification = self.classification
        satrec.intldesg = self.object_id[2:].replace("-", "")
        satrec.ephtype = 0
        satrec.elnum = self.element_set_number
        satrec.revnum = self.revolution_at_epoch
        line1, line2 = export_tle(satrec)
        return line1, line2

    def check_age(self, *, start: datetime, end: datetime, limit: timedelta) -> None:
        """Refuse an interval that reaches further than *limit* from the epoch.

        Raises:
            StaleElementsError: *end* lies more than *limit* after the epoch, or
                *start* more than *limit* before it.
        """
        if end - self.epoch > limit or self.epoch - start > limit:
            raise StaleElementsError(
                name=self.name, epoch=self.epoch, start=start, end=end, limit=limit
            )


def elements_from_tle(name: str, line1: str, line2: str) -> MeanElements:
    """Read one two-line element set.

    Args:
        name: What to call it in messages; the catalogue name, as a rule.
        line1: First line, 69 characters; trailing white space is ignored.
        line2: Second line.

    Raises:
        ElementsError: A wrong length, line number, checksum or field, or two
            lines of different spacecraft.
    """
    line1, line2 = line1.rstrip(), line2.rstrip()
    for number, line in ((1, line1), (2, line2)):
        _check_tle_line(name, number, line)
    if line1[2:7] != line2[2:7]:
        raise ElementsError(
            f"The TLE lines of {name} belong to different objects: "
            f"{line1[2:7].strip()} and {line2[2:7].strip()}."
        )

    def field(line: str, first: int, last: int, label: str, read: Callable[[str], _T]) -> _T:
        text = line[first - 1 : last]  # columns count from 1, as in the format's description
        try:
            return read(text.strip())
        except ValueError:
            raise ElementsError(
                f"TLE line {line[0]} of {name}, columns {first}-{last}: {text!r} is no {label}."
            ) from None

    return MeanElements(
        name=name,
        catalogue_number=field(line1, 3, 7, "catalogue number", _catalogue_number),
        object_id=field(line1, 10, 17, "international designator", _object_id),
        epoch=field(line1, 19, 32, "epoch (YYDDD.DDDDDDDD)", _tle_epoch),
        mean_motion_dot_rev_per_day2=field(line1, 34, 43, "mean motion derivative", float),
        mean_motion_ddot_rev_per_day3=field(line1, 45, 52, "second derivative", _exponent_field),
        bstar_per_earth_radius=field(line1, 54, 61, "B*", _exponent_field),
        element_set_number=field(line1, 65, 68, "element set number", _integer_or_zero),
        classification=line1[7].strip() or "U",
        inclination_deg=field(line2, 9, 16, "inclination", float),
        raan_deg=field(line2, 18, 25, "right ascension", float),
        eccentricity=field(line2, 27, 33, "eccentricity", _implied_fraction),
        argument_of_perigee_deg=field(line2, 35, 42, "argument of perigee", float),
        mean_anomaly_deg=field(line2, 44, 51, "mean anomaly", float),
        mean_motion_rev_per_day=field(line2, 53, 63, "mean motion", float),
        revolution_at_epoch=field(line2, 64, 68, "revolution number", _integer_or_zero),
    )


def elements_from_omm(document: str | Mapping[str, object]) -> MeanElements:
    """Read one Orbit Mean-Elements Message.

    Args:
        document: The message as KVN text, as JSON text (an object, or an array
            of one object), or as a mapping of OMM keywords to values.

    Raises:
        ElementsError: Not an OMM, a keyword missing or unreadable, or a theory,
            frame, time system or centre other than SGP4, TEME, UTC, EARTH.

    Source:
        CCSDS 502.0-B-3 section 4.2 (keywords) and 7.5 (dates, units).
    """
    fields = _omm_fields(document)
    name = fields.get("OBJECT_NAME") or fields.get("NORAD_CAT_ID") or "the object"
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
        epoch=value("EPOCH", _omm_epoch),
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


def _check_tle_line(name: str, number: int, line: str) -> None:
    if len(line) != _TLE_LENGTH or not line.isascii():
        raise ElementsError(
            f"TLE line {number} of {name} has {len(line)} characters; "
            f"a TLE line has {_TLE_LENGTH} ASCII characters."
        )
    if not line.startswith(f"{number} "):
        raise ElementsError(f"TLE line {number} of {name} begins with {line[:2]!r}.")
    # Digits count their value, a minus sign counts one, all else nothing.
    total = sum(int(c) if c.isdigit() else c == "-" for c in line[:-1]) % 10
    if line[-1] != str(total):
        raise ElementsError(
            f"TLE line {number} of {name} ends with checksum {line[-1]!r}, "
            f"but its characters sum to {total}. Fetch the set again."
        )


def _days(span: timedelta) -> str:
    return f"{span / timedelta(days=1):.1f}".removesuffix(".0")


def _catalogue_number(text: str) -> int:
    return int(from_alpha5(text)) if text else int(text)


def _object_id(text: str) -> str:
    if not text:
        return ""
    year = int(text[:2])
    return f"{year + (1900 if year >= 57 else 2000)}-{text[2:]}"


def _tle_epoch(text: str) -> datetime:
    match = re.fullmatch(r"(\d\d)([\d ]\d?\d)\.(\d{8})", text)
    if match is None:
        raise ValueError(text)
    year, day, fraction = (int(group) for group in match.groups())
    if not 1 <= day <= 366:
        raise ValueError(text)
    first = datetime(year + (1900 if year >= 57 else 2000), 1, 1, tzinfo=UTC)
    # One unit of the eighth decimal is 864 microseconds: no rounding here.
    return first + timedelta(days=day - 1, microseconds=fraction * 864)


def _exponent_field(text: str) -> float:
    """Read `` 29506-4`` as 0.29506e-4."""
    match = re.fullmatch(r"([+-]?)(\d{5})([+-]\d)", text)
    if match is None:
        raise ValueError(text)
    sign, digits, exponent = match.groups()
    return float(f"{sign}0.{digits}e{exponent}")


def _implied_fraction(text: str) -> float:
    if not text.isdigit():
        raise ValueError(text)
    return float(f"0.{text}")


def _integer_or_zero(text: str) -> int:
    return int(text) if text else 0


def _omm_fields(document: str | Mapping[str, object]) -> dict[str, str]:
    if isinstance(document, str):
        if document.lstrip()[:1] not in ("{", "["):
            return _kvn_fields(document)
        document = _only_json_object(document)
    return {key.upper(): str(value) for key, value in document.items() if value is not None}


def _only_json_object(text: str) -> Mapping[str, object]:
    try:
        parsed = json.loads(text)
    except json.JSONDecodeError as error:
        raise ElementsError(f"The OMM is no JSON: {error}.") from None
    if isinstance(parsed, list):
        if len(parsed) != 1:
            raise ElementsError(f"The OMM array holds {len(parsed)} sets; pass them one by one.")
        [parsed] = parsed
    if not isinstance(parsed, dict):
        raise ElementsError("The OMM is JSON, but not an object of keywords.")
    return parsed


def _kvn_fields(text: str) -> dict[str, str]:
    fields: dict[str, str] = {}
    for number, raw in enumerate(text.splitlines(), start=1):
        line = raw.strip()
        if not line or line.split()[0] == "COMMENT":
            continue
        keyword, equals, value = line.partition("=")
        if not equals:
            raise ElementsError(f"OMM line {number}: {line!r} is not 'keyword = value'.")
        # A unit may follow the value in brackets, e.g. "98.2 [deg]".
        fields[keyword.strip().upper()] = re.sub(r"\s*\[[^\]]*\]$", "", value.strip())
    return fields


def _omm_epoch(text: str) -> datetime:
    text = text.removesuffix("Z")
    if re.match(r"\d{4}-\d{3}T", text):  # day of the year, CCSDS 301.0-B ASCII code B
        day, _, clock = text.partition("T")
        midnight = datetime.strptime(day, "%Y-%j").replace(tzinfo=UTC)
        text = f"{midnight:%Y-%m-%d}T{clock}"
    epoch = datetime.fromisoformat(text)
    if epoch.tzinfo is not None:
        raise ValueError(text)
    return epoch.replace(tzinfo=UTC)
