"""Housekeeping packets with quiet values, by the telemetry dictionary itself."""

from __future__ import annotations

import math
from datetime import datetime, timedelta

from missioncontrol.fleet.models import Spacecraft
from missioncontrol.fleet.profiles import LinkProfile, parse_link_profile
from missioncontrol.simulator.packet_encoder import container_encoders
from telemetry.ccsds.space_packet import TELEMETRY, SpacePacket
from telemetry.ccsds.time_codes import CucFormat
from telemetry.definition import compiled
from telemetry.dictionary.model import ConcernLevel, EnumerationAlarm, NumericAlarm, Parameter

PRIMARY_HEADER_OCTETS = 6


class HousekeepingPackets:
    """Makes one packet of each kind; the values swing slowly within their limits."""

    def __init__(self, spacecraft: Spacecraft) -> None:
        profile = parse_link_profile(spacecraft.link_profile)
        assert isinstance(profile, LinkProfile)
        time = profile.packet_time
        self._time = CucFormat(
            coarse_octets=time.coarse_octets, fine_octets=time.fine_octets, epoch=time.epoch
        )
        self._parameters = compiled(spacecraft.telemetry_dictionary).dictionary.parameters
        encoders = container_encoders(
            compiled(spacecraft.telemetry_dictionary).dictionary,
            start_octets=PRIMARY_HEADER_OCTETS + self._time.length_octets,
        )
        self._encoders = {
            apid: encoder
            for apid, encoder in encoders.items()
            if apid != profile.apids.verification
        }
        self._count = 0

    def at(self, instant: datetime, **values: float) -> list[bytes]:
        """Return the packets of one instant; *values* replace the quiet ones."""
        self._count = (self._count + 1) % 16384
        packets = []
        for apid, encoder in self._encoders.items():
            quiet = {
                name: quiet_value(self._parameters[name], instant) for name in encoder.parameters
            }
            packets.append(
                SpacePacket(
                    packet_type=TELEMETRY,
                    apid=apid,
                    sequence_count=self._count,
                    has_secondary_header=True,
                    data=self._time.encode(instant) + encoder.encode(quiet | values),
                ).encode()
            )
        return packets


def quiet_value(parameter: Parameter, at: datetime) -> float | str:
    """Return a value within the limits that moves a little with time."""
    if parameter.type.labels:
        return _quiet_label(parameter)
    low, high = _quiet_range(parameter)
    phase = at.timestamp() / timedelta(minutes=100).total_seconds() * math.tau
    return (low + high) / 2 + (high - low) / 4 * math.sin(phase + len(parameter.name))


def _quiet_label(parameter: Parameter) -> str:
    alarm = parameter.alarm
    levels = dict(alarm.levels) if isinstance(alarm, EnumerationAlarm) else {}
    return next(
        label.label
        for label in parameter.type.labels
        if levels.get(label.label, ConcernLevel.NORMAL) is ConcernLevel.NORMAL
    )


def _quiet_range(parameter: Parameter) -> tuple[float, float]:
    alarm = parameter.alarm
    if not isinstance(alarm, NumericAlarm):
        return 0.0, 2.0
    lows = [one.minimum for one in alarm.ranges if one.minimum is not None]
    highs = [one.maximum for one in alarm.ranges if one.maximum is not None]
    low = max(lows) if lows else min(highs) - 10.0
    high = min(highs) if highs else max(lows) + 10.0
    return low, high
