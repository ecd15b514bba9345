"""How one spacecraft is spoken to: its link profile and its CFDP profile.

Pure: pydantic models of two sections of the mission file. All durations are
seconds of mission time.

Sources: CCSDS 132.0-B-3 (TM), 232.0-B-4 (TC), 232.1-B-2 (COP-1),
301.0-B-4 (time codes), 131.0-B-5 (coding), 732.0-B-4 (AOS), 727.0-B-5 (CFDP).
"""

from __future__ import annotations

import json
import re
from typing import Annotated, Any, Final, Literal, Self

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


InputName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,29}$")]
_ADDRESS: Final = re.compile(r"(?P<host>[A-Za-z0-9.-]+|\[[0-9a-f:]+\]):(?P<port>\d{1,5})")


class Input(Section):
    """A socket at which telemetry comes in by itself, without a contact.

    Either *listen* (TCP, UDP) or *connect* (TCP) names host and port.
    """

    name: InputName
    protocol: Literal["tcp", "udp"]
    listen: str | None = None
    connect: str | None = None
    carries: Literal["space_packets", "frames", "cadus"]
    # Octets before each packet that are not its own: an envelope, a time tag.
    prefix_octets: int = Field(default=0, ge=0, le=1024)

    @model_validator(mode="after")
    def _has_one_address(self) -> Self:
        if (self.listen is None) == (self.connect is None):
            raise ValueError("give listen or connect, and not both")
        if self.protocol == "udp" and self.connect is not None:
            raise ValueError("an input over UDP listens; give listen instead of connect")
        if self.protocol == "udp" and self.carries == "cadus":
            raise ValueError("CADUs are a stream; over UDP give frames")
        if self.prefix_octets and self.carries != "space_packets":
            raise ValueError("prefix_octets is for space_packets only")
        _ = self.address
        return self

    @property
    def address(self) -> tuple[str, int]:
        """Host and port."""
        text = self.listen or self.connect or ""
        found = _ADDRESS.fullmatch(text)
        if found is None or not 1 <= int(found["port"]) <= 65_535:
            raise ValueError(f"{text!r} is no HOST:PORT with a port from 1 to 65535")
        return found["host"].strip("[]"), int(found["port"])


class ReedSolomonProfile(Section):
    """The Reed-Solomon code of the return link (131.0-B-5, section 4)."""

    correctable_symbols: Literal[8, 16] = 16
    interleave: int = Field(default=1, ge=1, le=8)
    virtual_fill: int = Field(default=0, ge=0, le=222)
    dual_basis: bool = True


class CodingProfile(Section):
    """How frames are coded on the channel, where CADUs come in."""

    reed_solomon: ReedSolomonProfile | None = None
    randomiser: Literal["short", "long"] | None = None  # x^8..., x^17... (131.0-B-5, section 10)


class FrameProfile(Section):
    """Transfer frames of one length, TM (132.0-B-3) or AOS (732.0-B-4)."""

    kind: Literal["tm", "aos"]
    frame_octets: int = Field(ge=64, le=2048)
    fecf: bool
    ocf: bool = False
    header_error_control: bool = False  # of AOS frames
    insert_zone_octets: int = Field(default=0, ge=0, le=1024)  # of AOS frames

    @model_validator(mode="after")
    def _only_aos_has_zones(self) -> Self:
        if self.kind == "tm" and (self.header_error_control or self.insert_zone_octets):
            raise ValueError("header_error_control and insert_zone_octets are for AOS frames")
        return self


def _refuse_repeated_names(inputs: tuple[Input, ...]) -> None:
    names = [one.name for one in inputs]
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        raise ValueError(f"the inputs have the name {', '.join(repeated)} twice")


Inputs = Annotated[tuple[Input, ...], Field(max_length=16, strict=False)]


class LinkProfile(Section):
    """What the octets look like on the way to and from one spacecraft."""

    kind: Literal["tm_tc_frames"]
    tm: TmProfile
    tc: TcProfile
    packet_time: PacketTime
    apids: Apids
    downlink_hz: float = Field(ge=1e8, le=1e11)
    uplink_hz: float = Field(ge=1e8, le=1e11)
    coding: CodingProfile = CodingProfile()
    inputs: Inputs = ()

    @property
    def frame(self) -> FrameProfile:
        """The frames of the return link."""
        tm = self.tm
        return FrameProfile(kind="tm", frame_octets=tm.frame_octets, fecf=tm.fecf, ocf=tm.ocf)

    @model_validator(mode="after")
    def _inputs_carry_frames(self) -> Self:
        _refuse_repeated_names(self.inputs)
        if any(one.carries == "space_packets" for one in self.inputs):
            raise ValueError("the packets of this link travel in frames; let inputs carry frames")
        return self


class PacketLinkProfile(Section):
    """A source of bare space packets: recorded files, and spacecraft that use no frames."""

    kind: Literal["space_packets"]
    packet_time: PacketTime | CdsPacketTime | None = Field(default=None, discriminator="code")
    inputs: Inputs = ()

    @model_validator(mode="after")
    def _inputs_carry_packets(self) -> Self:
        _refuse_repeated_names(self.inputs)
        if any(one.carries != "space_packets" for one in self.inputs):
            raise ValueError("this link has no frames; its inputs carry space_packets")
        return self


class FrameLinkProfile(Section):
    """A source of transfer frames that is only listened to."""

    kind: Literal["frames"]
    frame: FrameProfile
    coding: CodingProfile = CodingProfile()
    packet_time: PacketTime | CdsPacketTime | None = Field(default=None, discriminator="code")
    inputs: Inputs = ()

    @model_validator(mode="after")
    def _inputs_carry_frames(self) -> Self:
        _refuse_repeated_names(self.inputs)
        if any(one.carries == "space_packets" for one in self.inputs):
            raise ValueError("the packets of this link travel in frames; let inputs carry frames")
        return self


SomeLinkProfile = LinkProfile | PacketLinkProfile | FrameLinkProfile
AnyLinkProfile = Annotated[SomeLinkProfile, Field(discriminator="kind")]
_LINK_PROFILES: TypeAdapter[SomeLinkProfile] = TypeAdapter(AnyLinkProfile)


def parse_link_profile(stored: dict[str, Any]) -> SomeLinkProfile:
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
