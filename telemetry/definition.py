"""From a spacecraft's row to what decodes its telemetry."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, Final

import numpy as np

from missioncontrol.fleet.models import Spacecraft
from missioncontrol.fleet.profiles import (
    CdsPacketTime,
    FrameLinkProfile,
    FrameProfile,
    LinkProfile,
    PacketLinkProfile,
    PacketTime,
    SomeLinkProfile,
    parse_link_profile,
)
from telemetry import streams
from telemetry.archive import ColumnGroup, PacketRows, Segmenter
from telemetry.archive.interface import Column
from telemetry.ccsds.aos_frame import AosFrameFormat
from telemetry.ccsds.channel_decoder import ChannelCoding
from telemetry.ccsds.randomiser import RandomiserSequence
from telemetry.ccsds.reed_solomon import ReedSolomonCode
from telemetry.ccsds.time_codes import CdsFormat, CucFormat
from telemetry.ccsds.tm_frame import TmFrameFormat
from telemetry.dictionary import (
    Decoder,
    Dictionary,
    Parameter,
    compile_dictionary,
    engineering,
    expected_periods_s,
    parse_xtce,
    straight_line,
)
from telemetry.dictionary.model import TypeKind
from telemetry.limits import (
    LimitDefinition,
    LimitState,
    definition_of,
    display_status,
    needs_of_limits,
)
from telemetry.pipeline import PacketTime as PacketTimeField
from telemetry.pipeline import ReceivedPackets, TelemetryBatch, TelemetryPipeline, instant

_RANDOMISERS: Final = {
    "short": RandomiserSequence.DEGREE_8,
    "long": RandomiserSequence.DEGREE_17,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class CompiledDictionary:
    """A telemetry dictionary, read and compiled once."""

    dictionary: Dictionary
    decoder: Decoder
    limits: tuple[LimitDefinition, ...]
    expected_period_s: dict[str, float]  # by parameter, where the dictionary says it


@lru_cache(maxsize=32)
def compiled(xtce: str) -> CompiledDictionary:
    """Return the compiled form of an XTCE document.

    Raises:
        XtceError, DictionaryError: what is wrong with it, and where.
    """
    dictionary = parse_xtce(xtce.encode())
    known = dictionary.parameters
    limits = [definition_of(parameter, known) for parameter in known.values()]
    return CompiledDictionary(
        dictionary=dictionary,
        decoder=compile_dictionary(dictionary, follow=needs_of_limits(dictionary)),
        limits=tuple(limit for limit in limits if limit is not None),
        expected_period_s=expected_periods_s(dictionary),
    )


def pipeline_of(
    spacecraft: Spacecraft,
    *,
    states_in_force: Mapping[str, LimitState] | None = None,
    archived_until_us: Mapping[str, int] | None = None,
    checks_limits: bool = True,
) -> TelemetryPipeline:
    """Return a fresh pipeline for one spacecraft's telemetry.

    Args:
        spacecraft: Whose.
        states_in_force: Limit states from before, by parameter.
        archived_until_us: Newest generation time from before, by container.
        checks_limits: No, where only the values are of interest.
    """
    profile = parse_link_profile(spacecraft.link_profile)
    what = compiled(spacecraft.telemetry_dictionary)
    frame_format, file_apids = None, frozenset[int]()
    if not isinstance(profile, PacketLinkProfile):
        frame_format = frame_format_of(profile.frame)
    if isinstance(profile, LinkProfile):
        file_apids = frozenset({profile.apids.files_down, profile.apids.files_up})
    return TelemetryPipeline(
        spacecraft_id=spacecraft.ccsds_id,
        decoder=what.decoder,
        parameters=what.dictionary.parameters,
        limit_definitions=what.limits if checks_limits else (),
        frame_format=frame_format,
        packet_time=_packet_time(profile),
        file_apids=file_apids,
        states_in_force=states_in_force,
        archived_until_us=archived_until_us,
    )


def frame_format_of(frame: FrameProfile) -> TmFrameFormat | AosFrameFormat:
    """Return what decodes the frames that a profile describes."""
    if frame.kind == "tm":
        return TmFrameFormat(
            frame_length_octets=frame.frame_octets, has_ocf=frame.ocf, has_fecf=frame.fecf
        )
    return AosFrameFormat(
        frame_length_octets=frame.frame_octets,
        has_fecf=frame.fecf,
        has_ocf=frame.ocf,
        has_header_error_control=frame.header_error_control,
        insert_zone_octets=frame.insert_zone_octets,
    )


def channel_coding_of(profile: LinkProfile | FrameLinkProfile) -> ChannelCoding:
    """Return how the frames of a profile are coded on the channel."""
    coding = profile.coding
    code = coding.reed_solomon
    return ChannelCoding(
        frame_octets=profile.frame.frame_octets,
        reed_solomon=None if code is None else ReedSolomonCode(**code.model_dump()),
        randomiser=None if coding.randomiser is None else _RANDOMISERS[coding.randomiser],
    )


def _packet_time(profile: SomeLinkProfile) -> PacketTimeField | None:
    time: PacketTime | CdsPacketTime | None = profile.packet_time
    if time is None:
        return None
    if isinstance(time, CdsPacketTime):
        return PacketTimeField(
            code=CdsFormat(
                day_octets=time.day_octets,
                submillisecond_octets=time.submillisecond_octets,
                epoch=time.epoch,
            )
        )
    return PacketTimeField(
        code=CucFormat(
            coarse_octets=time.coarse_octets, fine_octets=time.fine_octets, epoch=time.epoch
        )
    )


def column_groups(spacecraft: str, batches: Sequence[TelemetryBatch]) -> list[ColumnGroup]:
    """Return decoded batches as the archive takes them."""
    return [
        ColumnGroup(
            spacecraft=spacecraft,
            container=batch.container,
            times_us=batch.generation_times_us,
            sequence_counts=batch.sequence_counts,
            columns=batch.columns,
        )
        for batch in batches
    ]


def segmenter_of(spacecraft: Spacecraft) -> Segmenter:
    """Return what decodes logged packets again, after a crash or for a rebuild."""
    pipeline = pipeline_of(spacecraft, checks_limits=False)

    def segment(rows: PacketRows) -> list[ColumnGroup]:
        result = pipeline.receive_packet_columns(
            rows.packets, received_us=rows.received_us, station=rows.station
        )
        return column_groups(spacecraft.name, result.batches)

    return segment


def packet_rows(
    spacecraft: str, packets: ReceivedPackets, *, source: str = "", source_end: int = 0
) -> list[PacketRows]:
    """Return packets as the archive logs them: those of each station together.

    Args:
        spacecraft: Whose.
        packets: As the pipeline gives them.
        source: Where they were taken from, where that can be read again.
        source_end: Up to where in it.
    """
    whole = PacketRows(
        spacecraft=spacecraft,
        station=packets.station_names[0],
        packets=packets.batch,
        apids=packets.apids,
        sequence_counts=packets.sequence_counts,
        generated_us=packets.generated_us,
        received_us=packets.received_us,
        own_time=packets.has_own_time,
        source=source,
        source_end=source_end,
    )
    if len(packets.station_names) == 1:
        return [whole]
    parts = (
        (station, np.flatnonzero(packets.stations == number))
        for number, station in enumerate(packets.station_names)
    )
    return [
        replace(whole.chosen(rows), station=station, source=source, source_end=source_end)
        for station, rows in parts
        if len(rows)
    ]


def plain(value: Any) -> float | int | str:
    """Return an engineering value as JSON carries it."""
    if isinstance(value, np.datetime64):
        return str(np.datetime_as_string(value, unit="us", timezone="UTC"))
    if hasattr(value, "item"):
        value = value.item()
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, bool):
        return str(value)
    if isinstance(value, float):
        # Nine digits tell two float32 apart; more would be noise on the wire.
        return float(f"{value:.9g}") if math.isfinite(value) else str(value)
    return value if isinstance(value, int) else str(value)


class Telling:
    """How values are told to those who listen: engineering values that JSON carries.

    What turns a parameter's raw value into one is made once: a straight line needs no
    arrays, and on a live link every value is told many times a second.
    """

    def __init__(self, parameters: Mapping[str, Parameter]) -> None:
        self._parameters = parameters
        self._tellers: dict[str, _Teller] = {}

    def value(self, name: str, raw: Column, state: LimitState, told_at: str) -> dict[str, Any]:
        """Return one value.

        Args:
            name: Of the parameter.
            raw: Of shape (1,).
            state: The limit state in force.
            told_at: Generation time, as :func:`telemetry.streams.iso` writes it.
        """
        teller = self._tellers.get(name)
        if teller is None:
            teller = self._tellers[name] = _teller_of(self._parameters[name])
        return {"v": teller(raw), "s": display_status(state).value, "t": told_at}

    def row(
        self, batch: TelemetryBatch, row: int, *, names: Iterable[str] | None = None
    ) -> dict[str, dict[str, Any]]:
        """Return the values of one packet by parameter: all, or those of some *names*."""
        told_at = streams.iso(instant(int(batch.generation_times_us[row])))
        values = {}
        for name in batch.columns if names is None else names:
            states = batch.states.get(name)
            state = LimitState.NOMINAL if states is None else LimitState(int(states[row]))
            values[name] = self.value(name, batch.columns[name][row : row + 1], state, told_at)
        return values


_Teller = Callable[[Column], float | int | str]


def _teller_of(parameter: Parameter) -> _Teller:
    kind = parameter.type
    line = straight_line(kind)
    if line is None or not line[0]:  # not level either: nothing times infinity is no number
        return lambda raw: plain(engineering(parameter, raw)[0])
    if kind.kind is TypeKind.INTEGER and kind.calibrator is None:
        return lambda raw: plain(raw[0])
    gain, offset = line
    return lambda raw: plain(offset + gain * float(raw[0]))
