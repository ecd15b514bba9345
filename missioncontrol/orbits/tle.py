"""Two-line element sets, in the format that CelesTrak and Space-Track publish."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Final, TypeVar

from sgp4.alpha5 import from_alpha5

from missioncontrol.orbits.elements import ElementsError, MeanElements

_LENGTH: Final = 69

_T = TypeVar("_T")


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


def _check_tle_line(name: str, number: int, line: str) -> None:
    if len(line) != _LENGTH or not line.isascii():
        raise ElementsError(
            f"TLE line {number} of {name} has {len(line)} characters; "
            f"a TLE line has {_LENGTH} ASCII characters."
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
