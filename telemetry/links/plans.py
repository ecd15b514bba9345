"""From a spacecraft's link profile to what its receivers do."""

from __future__ import annotations

from collections.abc import Callable

from django.conf import settings

from missioncontrol.fleet.models import Spacecraft
from missioncontrol.fleet.profiles import (
    Input,
    PacketLinkProfile,
    SomeLinkProfile,
    parse_link_profile,
)
from telemetry.ccsds.packet_stream import StreamFormat
from telemetry.definition import channel_coding_of
from telemetry.links.deframing import (
    CaduDeframer,
    Deframer,
    FrameDatagrams,
    FrameDeframer,
    PacketDatagrams,
    PacketDeframer,
)
from telemetry.links.receiver import ReceiverPlan
from telemetry.links.spool_ingest import spool_folder


def receiver_plans(spacecraft: Spacecraft) -> list[ReceiverPlan]:
    """Return what is to be received for one spacecraft without a contact."""
    profile = parse_link_profile(spacecraft.link_profile)
    return [
        ReceiverPlan(
            name=f"{spacecraft.name}/{one.name}",
            folder=spool_folder(spacecraft, one),
            protocol=one.protocol,
            address=one.address,
            connects=one.connect is not None,
            deframer=_deframer(profile, one),
            limit_octets=settings.SPOOL_MAX_MIB << 20,
        )
        for one in profile.inputs
    ]


def _deframer(profile: SomeLinkProfile, one: Input) -> Callable[[], Deframer]:
    if one.carries == "space_packets" or isinstance(profile, PacketLinkProfile):
        rules = StreamFormat(prefix_octets=one.prefix_octets)
        packets = PacketDatagrams if one.protocol == "udp" else PacketDeframer
        return lambda: packets(rules)
    if one.carries == "cadus":
        coding = channel_coding_of(profile)
        return lambda: CaduDeframer(coding)
    if one.protocol == "udp":
        return FrameDatagrams
    frame_octets = profile.frame.frame_octets
    return lambda: FrameDeframer(frame_octets)
