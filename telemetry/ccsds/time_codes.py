"""CCSDS unsegmented (CUC) and day segmented (CDS) time codes, and those of cFS.

Pure: aware UTC datetimes in and out, integers between, so that nothing is lost
below the microsecond that a datetime can hold. ``decode_columns`` does the same for
many fields at once, in microseconds since 1970. Source: CCSDS 301.0-B-4 sections
3.2 (CUC) and 3.3 (CDS); NASA cFE, CFE_MISSION_SB_PACKET_TIME_FORMAT.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum
from typing import Any, Final

import numpy as np
import numpy.typing as npt

CCSDS_EPOCH: Final = datetime(1958, 1, 1, tzinfo=UTC)

_CUC_CCSDS_EPOCH: Final = 0b001  # time code identifications
_CUC_AGENCY_EPOCH: Final = 0b010
_CDS: Final = 0b100
_MICROSECOND: Final = timedelta(microseconds=1)
_US_PER_S: Final = 1_000_000
_US_PER_DAY: Final = 86_400 * _US_PER_S
_MAX_MS_OF_DAY: Final = 86_400_999  # a day with a leap second has one second more
_PS_PER_US: Final = 1_000_000
_UNIX_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_FINE_OCTETS_USED: Final = 5
# The year 9999, beyond which no datetime lies.
_MAX_US: Final = (datetime(9999, 12, 31, tzinfo=UTC) - _UNIX_EPOCH) // _MICROSECOND

Fields = npt.NDArray[np.uint8]  # one time field a row
Instants = npt.NDArray[np.int64]  # microseconds since 1970-01-01T00:00:00Z
Mask = npt.NDArray[np.bool_]


class TimeCodeError(ValueError):
    """A time field cannot be read, or an instant does not fit its time field."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CucFormat:
    """How one mission writes the unsegmented code.

    Attributes:
        coarse_octets: Octets of whole seconds, 1 to 7.
        fine_octets: Octets of the binary fraction of a second, 0 to 10.
        epoch: The instant that is zero, as UTC.
        leap_seconds: Seconds by which the on-board scale runs ahead of UTC
            counted from *epoch*: 0 for a clock kept on UTC, 37 (since 2017) for
            the TAI scale from 1958. It is constant here; a mission that lives
            through a leap second changes its mission file.
        has_p_field: The preamble stands before the time, rather than being
            agreed beforehand.
    """

    coarse_octets: int = 4
    fine_octets: int = 2
    epoch: datetime = CCSDS_EPOCH
    leap_seconds: int = 0
    has_p_field: bool = False

    def __post_init__(self) -> None:
        _check("coarse octets", self.coarse_octets, 1, 7)
        _check("fine octets", self.fine_octets, 0, 10)
        _check_aware(self.epoch)

    @property
    def p_field(self) -> bytes:
        """The preamble: one octet, or two where the time has more than 4 + 3 octets."""
        identification = _CUC_CCSDS_EPOCH if self.epoch == CCSDS_EPOCH else _CUC_AGENCY_EPOCH
        coarse, fine = min(self.coarse_octets, 4), min(self.fine_octets, 3)
        first = identification << 4 | (coarse - 1) << 2 | fine
        more_coarse, more_fine = self.coarse_octets - coarse, self.fine_octets - fine
        if not (more_coarse or more_fine):
            return bytes([first])
        return bytes([0x80 | first, more_coarse << 5 | more_fine << 2])

    @property
    def length_octets(self) -> int:
        preamble = len(self.p_field) if self.has_p_field else 0
        return preamble + self.coarse_octets + self.fine_octets

    def encode(self, instant: datetime) -> bytes:
        """Return the field for *instant*, rounded to the nearest tick.

        Raises:
            TimeCodeError: Before the epoch, or beyond the coarse field.
        """
        _check_aware(instant)
        elapsed_us = (instant - self.epoch) // _MICROSECOND + self.leap_seconds * _US_PER_S
        scaled = elapsed_us << 8 * self.fine_octets
        ticks = (scaled + _US_PER_S // 2) // _US_PER_S
        octets = self.coarse_octets + self.fine_octets
        if not 0 <= ticks < 1 << 8 * octets:
            raise TimeCodeError(
                f"{instant.isoformat()} does not fit a CUC field of {self.coarse_octets} + "
                f"{self.fine_octets} octets from {self.epoch.isoformat()}"
            )
        return (self.p_field if self.has_p_field else b"") + ticks.to_bytes(octets, "big")

    def decode(self, field: bytes) -> datetime:
        """Return the instant, UTC, rounded to the nearest microsecond.

        Raises:
            TimeCodeError: Wrong length, another preamble, or beyond year 9999.
        """
        t_field = _t_field(field, self.length_octets, self.p_field if self.has_p_field else b"")
        shift = 8 * self.fine_octets
        scaled = int.from_bytes(t_field, "big") * _US_PER_S
        elapsed_us = (scaled + (1 << shift >> 1)) >> shift
        return _after(self.epoch, elapsed_us - self.leap_seconds * _US_PER_S)

    def decode_columns(self, fields: Fields) -> tuple[Instants, Mask]:
        """Return the instants of many fields, and which of them are valid.

        As :meth:`decode` has them, to the microsecond.

        Args:
            fields: Shape (n, ``length_octets``).
        """
        valid, t_fields = _t_fields(fields, self.p_field if self.has_p_field else b"")
        seconds = _whole_numbers(t_fields[:, : self.coarse_octets])
        # 40 bits of the fraction are far more than a microsecond needs.
        fine = t_fields[:, self.coarse_octets : self.coarse_octets + _FINE_OCTETS_USED]
        shift = 8 * fine.shape[1]
        fraction_us = (_whole_numbers(fine) * _US_PER_S + (1 << shift >> 1)) >> shift
        valid &= seconds < _MAX_US // _US_PER_S
        elapsed_us = np.where(valid, seconds, 0) * _US_PER_S + fraction_us
        instants = elapsed_us + _epoch_us(self.epoch) - self.leap_seconds * _US_PER_S
        return instants, valid & (instants < _MAX_US)


@dataclass(frozen=True, slots=True, kw_only=True)
class CdsFormat:
    """How one mission writes the day segmented code, which counts UTC days.

    Attributes:
        day_octets: Octets of the day, 2 or 3.
        submillisecond_octets: 0, or 2 for microseconds, or 4 for picoseconds of
            the millisecond.
        epoch: Midnight of day zero, UTC.
        has_p_field: The preamble stands before the time.
    """

    day_octets: int = 2
    submillisecond_octets: int = 0
    epoch: datetime = CCSDS_EPOCH
    has_p_field: bool = False

    def __post_init__(self) -> None:
        _check("day octets", self.day_octets, 2, 3)
        if self.submillisecond_octets not in (0, 2, 4):
            raise TimeCodeError(
                f"submillisecond octets {self.submillisecond_octets} is not 0, 2 or 4"
            )
        _check_aware(self.epoch)

    @property
    def p_field(self) -> bytes:
        agency = self.epoch != CCSDS_EPOCH
        submillisecond = self.submillisecond_octets // 2
        return bytes([_CDS << 4 | agency << 3 | (self.day_octets - 2) << 2 | submillisecond])

    @property
    def length_octets(self) -> int:
        return self.has_p_field + self.day_octets + 4 + self.submillisecond_octets

    def encode(self, instant: datetime) -> bytes:
        """Return the field for *instant*; what is below its resolution is cut off.

        Raises:
            TimeCodeError: Before the epoch, or beyond the day field.
        """
        _check_aware(instant)
        day, us_of_day = divmod((instant - self.epoch) // _MICROSECOND, _US_PER_DAY)
        if not 0 <= day < 1 << 8 * self.day_octets:
            raise TimeCodeError(
                f"{instant.isoformat()} is day {day} from {self.epoch.isoformat()}; a CDS field "
                f"of {self.day_octets} octets holds 0 to {(1 << 8 * self.day_octets) - 1}"
            )
        ms_of_day, us_of_ms = divmod(us_of_day, 1000)
        submillisecond = us_of_ms * _PS_PER_US if self.submillisecond_octets == 4 else us_of_ms
        return b"".join(
            (
                self.p_field if self.has_p_field else b"",
                day.to_bytes(self.day_octets, "big"),
                ms_of_day.to_bytes(4, "big"),
                submillisecond.to_bytes(self.submillisecond_octets, "big")
                if self.submillisecond_octets
                else b"",
            )
        )

    def decode(self, field: bytes) -> datetime:
        """Return the instant, UTC; a leap second reads as the first of the next day.

        Raises:
            TimeCodeError: Wrong length, another preamble, more milliseconds
                than a day has, or beyond year 9999.
        """
        t_field = _t_field(field, self.length_octets, self.p_field if self.has_p_field else b"")
        day = int.from_bytes(t_field[: self.day_octets], "big")
        ms_of_day = int.from_bytes(t_field[self.day_octets : self.day_octets + 4], "big")
        if ms_of_day > _MAX_MS_OF_DAY:
            raise TimeCodeError(f"{ms_of_day} ms of the day; a day has at most {_MAX_MS_OF_DAY}")
        us_of_ms = int.from_bytes(t_field[self.day_octets + 4 :], "big")
        if self.submillisecond_octets == 4:
            us_of_ms //= _PS_PER_US
        if us_of_ms > 999:
            raise TimeCodeError(f"{us_of_ms} us of the millisecond; there are at most 999")
        return _after(self.epoch, day * _US_PER_DAY + ms_of_day * 1000 + us_of_ms)

    def decode_columns(self, fields: Fields) -> tuple[Instants, Mask]:
        """Return the instants of many fields, and which of them are valid.

        As :meth:`decode` has them, to the microsecond.

        Args:
            fields: Shape (n, ``length_octets``).
        """
        valid, t_fields = _t_fields(fields, self.p_field if self.has_p_field else b"")
        days = _whole_numbers(t_fields[:, : self.day_octets])
        ms_of_day = _whole_numbers(t_fields[:, self.day_octets : self.day_octets + 4])
        us_of_ms = _whole_numbers(t_fields[:, self.day_octets + 4 :])
        if self.submillisecond_octets == 4:
            us_of_ms //= _PS_PER_US
        valid &= (ms_of_day <= _MAX_MS_OF_DAY) & (us_of_ms <= 999)
        instants = days * _US_PER_DAY + ms_of_day * 1000 + us_of_ms + _epoch_us(self.epoch)
        return instants, valid & (instants < _MAX_US)


class CfsSubseconds(Enum):
    """How cFE writes the part of a second in a telemetry packet's secondary header."""

    BITS_16 = (2, 1 << 16)  # 32_16_SUBS, the default: octets, units of a second
    BITS_32 = (4, 1 << 32)  # 32_32_SUBS
    MICROSECONDS_20 = (4, _US_PER_S)  # 32_32_M_20: microseconds in the upper 20 bits


@dataclass(frozen=True, slots=True, kw_only=True)
class CfsTimeFormat:
    """The time of cFS telemetry packets: 4 octets of seconds, 2 or 4 of subseconds.

    Attributes:
        subseconds: Their form, which the mission configures.
        epoch: The instant that is zero, as UTC; cFE's default is that of GPS.
        leap_seconds: Seconds by which the on-board scale runs ahead of UTC counted
            from *epoch*; 0 where cFE is configured to send UTC.
    """

    subseconds: CfsSubseconds = CfsSubseconds.BITS_16
    epoch: datetime = datetime(1980, 1, 6, tzinfo=UTC)
    leap_seconds: int = 0

    def __post_init__(self) -> None:
        _check_aware(self.epoch)

    @property
    def length_octets(self) -> int:
        return 4 + self.subseconds.value[0]

    def encode(self, instant: datetime) -> bytes:
        """Return the field for *instant*, cut off to a whole unit.

        Raises:
            TimeCodeError: Before the epoch, or more than 32 bits of seconds after it.
        """
        _check_aware(instant)
        elapsed_us = (instant - self.epoch) // _MICROSECOND + self.leap_seconds * _US_PER_S
        seconds, us = divmod(elapsed_us, _US_PER_S)
        if not 0 <= seconds < 1 << 32:
            raise TimeCodeError(
                f"{instant.isoformat()} does not fit 32 bits of seconds from "
                f"{self.epoch.isoformat()}"
            )
        octets, units = self.subseconds.value
        part = us * units // _US_PER_S
        if self.subseconds is CfsSubseconds.MICROSECONDS_20:
            part <<= 12
        return seconds.to_bytes(4, "big") + part.to_bytes(octets, "big")

    def decode(self, field: bytes) -> datetime:
        """Return the instant, UTC, rounded to the nearest microsecond.

        Raises:
            TimeCodeError: Wrong length, or more than 999,999 us of a second.
        """
        t_field = _t_field(field, self.length_octets, b"")
        instants, valid = self.decode_columns(np.frombuffer(t_field, dtype=np.uint8)[None, :])
        if not valid[0]:
            raise TimeCodeError(f"the subseconds {t_field[4:].hex()} are a second or more")
        return _UNIX_EPOCH + timedelta(microseconds=int(instants[0]))

    def decode_columns(self, fields: Fields) -> tuple[Instants, Mask]:
        """Return the instants of many fields, and which of them are valid.

        Args:
            fields: Shape (n, ``length_octets``).
        """
        seconds = _whole_numbers(fields[:, :4])
        part = _whole_numbers(fields[:, 4:])
        if self.subseconds is CfsSubseconds.MICROSECONDS_20:
            part >>= 12
        units = self.subseconds.value[1]
        part_us = (part * _US_PER_S + units // 2) // units
        elapsed_us = (seconds - self.leap_seconds) * _US_PER_S + part_us
        return elapsed_us + _epoch_us(self.epoch), part < units


TimeFormat = CucFormat | CdsFormat | CfsTimeFormat


def _t_fields(fields: Fields, p_field: bytes) -> tuple[Mask, Fields]:
    """Return which fields have the right preamble, and what follows it."""
    preamble = np.frombuffer(p_field, dtype=np.uint8)
    valid: Any = (fields[:, : len(preamble)] == preamble).all(axis=1)
    return valid, fields[:, len(preamble) :]


def _whole_numbers(octets: Fields) -> npt.NDArray[np.int64]:
    """Return each row as a number of at most 63 bits; larger ones come out as the largest."""
    numbers = np.zeros(len(octets), dtype=np.int64)
    for column in octets.T:
        large = numbers >> 55 != 0
        numbers = np.where(large, np.iinfo(np.int64).max, (numbers << 8) | column)
    return numbers


def _epoch_us(epoch: datetime) -> int:
    return (epoch - _UNIX_EPOCH) // _MICROSECOND


def _t_field(field: bytes, length_octets: int, p_field: bytes) -> bytes:
    if len(field) != length_octets:
        raise TimeCodeError(f"a time field of {len(field)} octets, expected {length_octets}")
    if not field.startswith(p_field):
        raise TimeCodeError(
            f"time code preamble {field[: len(p_field)].hex()}, expected {p_field.hex()}"
        )
    return field[len(p_field) :]


def _after(epoch: datetime, elapsed_us: int) -> datetime:
    try:
        return epoch + timedelta(microseconds=elapsed_us)
    except OverflowError as error:
        raise TimeCodeError(
            f"{elapsed_us // _US_PER_S} s after {epoch.isoformat()} lies beyond the year 9999"
        ) from error


def _check(what: str, value: int, low: int, high: int) -> None:
    if not low <= value <= high:
        raise TimeCodeError(f"{what} {value} is outside {low} to {high}")


def _check_aware(instant: datetime) -> None:
    if instant.tzinfo is None:
        raise TimeCodeError(f"{instant.isoformat()} has no time zone; give it in UTC")
