from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telemetry.ccsds.aos_frame import (
    AosFrame,
    AosFrameFormat,
    encode_aos_frame,
    multiplexed_data,
)
from telemetry.ccsds.frame_layout import HeaderField, frame_fields, packet_header_fields
from telemetry.ccsds.space_packet import TELEMETRY, SpacePacket
from telemetry.ccsds.tm_frame import (
    NO_PACKET_START,
    ONLY_IDLE_DATA,
    TmFrame,
    TmFrameFormat,
    encode_tm_frame,
)

TM = TmFrameFormat(frame_length_octets=64, has_ocf=True, has_fecf=True)
AOS = AosFrameFormat(
    frame_length_octets=64,
    has_fecf=True,
    has_ocf=True,
    has_header_error_control=True,
    insert_zone_octets=3,
)
PACKET = SpacePacket(packet_type=TELEMETRY, apid=100, sequence_count=7, data=b"abc").encode()


def tm(pointer: int = 5, *, secondary: bytes | None = None) -> bytes:
    room = TM.data_field_octets - (0 if secondary is None else 1 + len(secondary))
    frame = TmFrame(
        spacecraft_id=0x2A5,
        virtual_channel_id=3,
        master_channel_frame_count=200,
        virtual_channel_frame_count=17,
        first_header_pointer=pointer,
        data=(b"\xee" * 5 + PACKET).ljust(room, b"\xee"),
        ocf=b"\x01\x02\x03\x04",
        secondary_header=secondary,
    )
    return encode_tm_frame(frame, TM)


def told(fields: list[HeaderField]) -> dict[str, int | str]:
    return {field.name: field.meaning or field.value for field in fields}


class TestTmFrame:
    def test_says_what_every_field_holds(self):
        fields = told(frame_fields(tm(), TM))
        assert fields["Spacecraft identifier"] == 0x2A5
        assert fields["Virtual channel identifier"] == 3
        assert fields["Operational control field flag"] == "yes"
        assert fields["Master channel frame count"] == 200
        assert fields["Virtual channel frame count"] == 17
        assert fields["First header pointer"] == 5
        assert fields["Operational control field"] == "01020304"
        assert fields["Frame error control field"].endswith(", agrees")

    @pytest.mark.parametrize("secondary", [None, b"\x09\x08"])
    def test_marks_the_header_of_the_packet_that_the_pointer_leads_to(self, secondary):
        octets = tm(secondary=secondary)
        [apid] = [field for field in frame_fields(octets, TM) if field.name == "APID"]
        assert apid.value == 100
        assert apid.offset_bits == 8 * octets.index(PACKET) + 5

    @pytest.mark.parametrize(
        ("pointer", "meaning"),
        [(NO_PACKET_START, "no packet begins here"), (ONLY_IDLE_DATA, "only idle data")],
    )
    def test_marks_no_packet_where_none_begins(self, pointer, meaning):
        fields = told(frame_fields(tm(pointer), TM))
        assert fields["First header pointer"] == meaning
        assert "APID" not in fields

    def test_says_what_error_control_the_octets_would_need(self):
        broken = bytearray(tm())
        broken[20] ^= 1
        right = tm()[-2:].hex()
        text = told(frame_fields(bytes(broken), TM))["Frame error control field"]
        assert text.startswith(f"{right}, the octets give ")

    def test_leaves_out_the_end_of_a_frame_of_wrong_length(self):
        fields = told(frame_fields(tm()[:-1], TM))
        assert fields["Virtual channel identifier"] == 3
        assert "Frame error control field" not in fields
        assert "Operational control field" not in fields


class TestAosFrame:
    def test_says_what_every_field_holds(self):
        frame = AosFrame(
            spacecraft_id=0x2A5,
            virtual_channel_id=33,
            virtual_channel_frame_count=0xABCDEF1,
            has_count_cycle=True,
            is_replay=True,
            insert_zone=b"\x01\x02\x03",
            data=multiplexed_data(5, (b"\xee" * 5 + PACKET).ljust(AOS.data_field_octets - 2)),
            ocf=b"\x01\x02\x03\x04",
        )
        octets = encode_aos_frame(frame, AOS)
        fields = told(frame_fields(octets, AOS))
        assert fields["Spacecraft identifier, low bits"] == 0xA5
        assert fields["Spacecraft identifier, high bits"] == 2
        assert fields["Virtual channel identifier"] == 33
        assert fields["Virtual channel frame count"] == 0xBCDEF1
        assert fields["Virtual channel frame count cycle"] == 0xA
        assert (fields["Replay flag"], fields["Frame count cycle use flag"]) == ("yes", "yes")
        assert fields["Insert zone"] == "010203"
        assert (fields["First header pointer"], fields["APID"]) == (5, 100)
        assert fields["Frame error control field"].endswith(", agrees")


class TestAnything:
    def test_a_packet_cut_short_shows_what_is_there(self):
        fields = packet_header_fields(PACKET[:3])
        assert [field.name for field in fields][-2:] == ["APID", "Sequence flags"]
        assert told(packet_header_fields(PACKET))["Packet sequence count"] == 7

    @given(octets=st.binary(max_size=80), frame_format=st.sampled_from([TM, AOS]))
    def test_every_field_lies_in_the_octets_and_holds_their_bits(self, octets, frame_format):
        bits = "".join(f"{octet:08b}" for octet in octets)
        for field in frame_fields(octets, frame_format):
            own = bits[field.offset_bits : field.offset_bits + field.size_bits]
            assert (len(own), int(own, 2)) == (field.size_bits, field.value)
