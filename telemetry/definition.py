"""From a spacecraft's row to what decodes its telemetry."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from missioncontrol.fleet.models import Spacecraft
from missioncontrol.fleet.profiles import (
    CdsPacketTime,
    LinkProfile,
    PacketLinkProfile,
    PacketTime,
    parse_link_profile,
)
from telemetry.archive import ColumnGroup, Segmenter, StoredPacket
from telemetry.ccsds.time_codes import CdsFormat, CucFormat
from telemetry.ccsds.tm_frame import TmFrameFormat
from telemetry.dictionary import (
    Decoder,
    Dictionary,
    compile_dictionary,
    expected_periods_s,
    parse_xtce,
)
from telemetry.limits import LimitDefinition, LimitState, definition_of
from telemetry.pipeline import PacketTime as PacketTimeField
from telemetry.pipeline import ReceivedPacket, TelemetryBatch, TelemetryPipeline


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
    limits = (definition_of(parameter) for parameter in dictionary.parameters.values())
    return CompiledDictionary(
        dictionary=dictionary,
        decoder=compile_dictionary(dictionary),
        limits=tuple(limit for limit in limits if limit is not None),
        expected_period_s=expected_periods_s(dictionary),
    )


def pipeline_of(
    spacecraft: Spacecraft,
    *,
    states_in_force: Mapping[str, LimitState] | None = None,
    archived_until_us: Mapping[str, int] | None = None,
) -> TelemetryPipeline:
    """Return a fresh pipeline for one spacecraft's telemetry.

    Args:
        spacecraft: Whose.
        states_in_force: Limit states from before, by parameter.
        archived_until_us: Newest generation time from before, by container.
    """
    profile = parse_link_profile(spacecraft.link_profile)
    what = compiled(spacecraft.telemetry_dictionary)
    frame_format, file_apids = None, frozenset[int]()
    if isinstance(profile, LinkProfile):
        frame_format = TmFrameFormat(
            frame_length_octets=profile.tm.frame_octets,
            has_ocf=profile.tm.ocf,
            has_fecf=profile.tm.fecf,
        )
        file_apids = frozenset({profile.apids.files_down, profile.apids.files_up})
    return TelemetryPipeline(
        spacecraft_id=spacecraft.ccsds_id,
        decoder=what.decoder,
        parameters=what.dictionary.parameters,
        limit_definitions=what.limits,
        frame_format=frame_format,
        packet_time=_packet_time(profile),
        file_apids=file_apids,
        states_in_force=states_in_force,
        archived_until_us=archived_until_us,
    )


def _packet_time(profile: LinkProfile | PacketLinkProfile) -> PacketTimeField | None:
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

    def segment(packets: Sequence[StoredPacket]) -> list[ColumnGroup]:
        received = [
            ReceivedPacket(
                octets=packet.octets, received_at=packet.received_at, station=packet.station
            )
            for packet in packets
        ]
        result = pipeline_of(spacecraft).receive_packets(received)
        return column_groups(spacecraft.name, result.batches)

    return segment


def plain(value: Any) -> float | int | str:
    """Return an engineering value as JSON carries it."""
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
