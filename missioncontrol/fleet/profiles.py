"""How one spacecraft is spoken to: its link profile and its CFDP profile.

Pure: pydantic models of two sections of the mission file. All durations are
seconds of mission time.

Sources: CCSDS 132.0-B-3 (TM), 232.0-B-4 (TC), 232.1-B-2 (COP-1),
301.0-B-4 (time codes), 727.0-B-5 (CFDP).
"""

from __future__ import annotations

import json
from typing import Annotated, Any, Literal, Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, TypeAdapter, model_validator

# 2040 to 2046 are reserved and 2047 marks idle packets (133.0-B-2, 4.1.3.3.4.4).
Apid = Annotated[int, Field(ge=0, le=2039)]
Seconds = Annotated[int, Field(ge=1, le=86_400)]
BitRate = Annotated[int, Field(ge=100, le=10_000_000_000)]
TmVirtualChannel = Annotated[int, Field(ge=0, le=6)]  # 7 carries only idle data
TcVirtualChannel = Annotated[int, Field(ge=0, le=63)]


class Section(BaseModel):
    """A part of the mission file: unknown fields are refused, and types are exact."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class TmProfile(Section):
    """The return link: TM transfer frames of one length."""

    frame_octets: int = Field(ge=64, le=2048)
    fecf: bool
    ocf: bool
    rate_bps: BitRate
    vc_realtime: TmVirtualChannel
    vc_recorded: TmVirtualChannel
    vc_files: TmVirtualChannel

    @model_validator(mode="after")
    def _channels_differ(self) -> Self:
        channels = {self.vc_realtime, self.vc_recorded, self.vc_files}
        if len(channels) < 3:
            raise ValueError("vc_realtime, vc_recorded and vc_files must be three channels")
        return self


class FopProfile(Section):
    """FOP-1 of one virtual channel (232.1-B-2, section 5.1)."""

    window: int = Field(ge=1, le=127)  # PW: half the frame sequence range at most
    timer_s: Seconds
    transmission_limit: int = Field(ge=1, le=100)


class TcProfile(Section):
    """The forward link: TC transfer frames in CLTUs."""

    rate_bps: BitRate
    max_frame_octets: int = Field(ge=16, le=1024)
    vc_commands: TcVirtualChannel
    vc_files: TcVirtualChannel
    map_id: int = Field(ge=0, le=63)
    fop: FopProfile
    randomise: bool


class PacketTime(Section):
    """The time code of the telemetry packets' secondary header."""

    code: Literal["CUC"]
    coarse_octets: int = Field(ge=1, le=4)
    fine_octets: int = Field(ge=0, le=3)
    epoch: AwareDatetime


class CdsPacketTime(Section):
    """A day-segmented time code in the telemetry packets' secondary header."""

    code: Literal["CDS"]
    day_octets: Literal[2, 3]
    submillisecond_octets: Literal[0, 2, 4]
    epoch: AwareDatetime


class Apids(Section):
    """The application processes that the ground itself serves."""

    verification: Apid
    files_down: Apid
    files_up: Apid

    @model_validator(mode="after")
    def _apids_differ(self) -> Self:
        if len({self.verification, self.files_down, self.files_up}) < 3:
            raise ValueError("verification, files_down and files_up must be three APIDs")
        return self


class LinkProfile(Section):
    """What the octets look like on the way to and from one spacecraft."""

    kind: Literal["tm_tc_frames"]
    tm: TmProfile
    tc: TcProfile
    packet_time: PacketTime
    apids: Apids
    downlink_hz: float = Field(ge=1e8, le=1e11)
    uplink_hz: float = Field(ge=1e8, le=1e11)


class PacketLinkProfile(Section):
    """A source of bare space packets: recorded files, and spacecraft that use no frames."""

    kind: Literal["space_packets"]
    packet_time: PacketTime | CdsPacketTime | None = Field(default=None, discriminator="code")


AnyLinkProfile = Annotated[LinkProfile | PacketLinkProfile, Field(discriminator="kind")]
_LINK_PROFILES: TypeAdapter[LinkProfile | PacketLinkProfile] = TypeAdapter(AnyLinkProfile)


def parse_link_profile(stored: dict[str, Any]) -> LinkProfile | PacketLinkProfile:
    """Return a stored link profile (JSON values) in its typed form.

    Raises:
        pydantic.ValidationError: it was not checked when it was stored.
    """
    return _LINK_PROFILES.validate_json(json.dumps(stored))


class CfdpProfile(Section):
    """The file protocol as both entities of this spacecraft's link agree on it."""

    ground_entity_id: int = Field(ge=0)
    spacecraft_entity_id: int = Field(ge=0)
    entity_id_octets: Literal[1, 2, 4, 8]
    sequence_number_octets: Literal[1, 2, 4, 8]
    checksum: Literal["crc32", "modular"]
    pdu_crc: bool
    segment_octets: int = Field(ge=16, le=65_000)
    ack_timer_s: Seconds
    nak_timer_s: Seconds
    inactivity_s: Seconds
    ack_limit: int = Field(ge=1, le=1000)
    nak_limit: int = Field(ge=1, le=1000)

    @model_validator(mode="after")
    def _entities_fit_and_differ(self) -> Self:
        largest = 256**self.entity_id_octets - 1
        if max(self.ground_entity_id, self.spacecraft_entity_id) > largest:
            raise ValueError(
                f"entity identifiers of {self.entity_id_octets} octets go from 0 to {largest}"
            )
        if self.ground_entity_id == self.spacecraft_entity_id:
            raise ValueError("ground_entity_id and spacecraft_entity_id must differ")
        return self
