from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telemetry.ccsds.clcw import decode_clcw
from telemetry.ccsds.frame_fault import FrameError, FrameFault
from telemetry.ccsds.tm_frame import (
    NO_PACKET_START,
    ONLY_IDLE_DATA,
    TmFrame,
    TmFrameFormat,
    decode_tm_frame,
    encode_tm_frame,
)
from tests.vectors import shared_vector

FORMAT = TmFrameFormat(frame_length_octets=40, has_ocf=True, has_fecf=True)
SHORTER = TmFrameFormat(frame_length_octets=38, has_ocf=True, has_fecf=False)
NO_FECF = TmFrameFormat(frame_length_octets=40, has_ocf=True, has_fecf=False)


def frame(**fields):
    plain = {
        "spacecraft_id": 0x2F6,
        "virtual_channel_id": 3,
        "master_channel_frame_count": 17,
        "virtual_channel_frame_count": 255,
        "first_header_pointer": 5,
        "data": bytes(range(28)),
        "ocf": bytes.fromhex("01000000"),
    }
    return TmFrame(**(plain | fields))


@st.composite
def frames_with_formats(draw):
    has_ocf, has_fecf = draw(st.booleans()), draw(st.booleans())
    secondary = draw(st.none() | st.binary(min_size=1, max_size=63))
    data = draw(st.binary(min_size=1, max_size=100))
    length = 6 + (0 if secondary is None else 1 + len(secondary)) + len(data)
    drawn = TmFrame(
        spacecraft_id=draw(st.integers(0, 1023)),
        virtual_channel_id=draw(st.integers(0, 7)),
        master_channel_frame_count=draw(st.integers(0, 255)),
        virtual_channel_frame_count=draw(st.integers(0, 255)),
        first_header_pointer=draw(st.integers(0, 0x7FF)),
        data=data,
        ocf=draw(st.binary(min_size=4, max_size=4)) if has_ocf else None,
        secondary_header=secondary,
        synchronisation_flag=draw(st.booleans()),
        packet_order_flag=draw(st.booleans()),
        segment_length_id=draw(st.integers(0, 3)),
    )
    length += 4 * has_ocf + 2 * has_fecf
    return drawn, TmFrameFormat(frame_length_octets=length, has_ocf=has_ocf, has_fecf=has_fecf)


class TestTmFrame:
    @given(drawn=frames_with_formats())
    def test_decodes_to_what_was_encoded(self, drawn):
        sent, frame_format = drawn
        octets = encode_tm_frame(sent, frame_format)
        assert len(octets) == frame_format.frame_length_octets
        assert decode_tm_frame(octets, frame_format) == sent

    def test_puts_each_field_where_the_book_says(self):
        octets = encode_tm_frame(frame(packet_order_flag=True), SHORTER)
        assert octets[:6].hex() == "2f6711ff3805"

    @pytest.mark.parametrize(
        ("octets", "fault", "reason"),
        [
            (bytes(39), FrameFault.LENGTH, "frame of 39 octets, expected 40"),
            (b"\x40" + bytes(39), FrameFault.VERSION, "version number 1, expected 0"),
            (bytes(40), FrameFault.OCF_FLAG, "operational control field flag 0, expected 1"),
            (
                bytes.fromhex("2f67 11ff 9805 40") + bytes(33),
                FrameFault.SECONDARY_HEADER,
                "secondary header of version 1 with 0 octets, expected version 0 with 1 to 29",
            ),
            (
                bytes.fromhex("2f67 11ff 9805 1e") + bytes(33),
                FrameFault.SECONDARY_HEADER,
                "secondary header of version 0 with 30 octets, expected version 0 with 1 to 29",
            ),
        ],
    )
    def test_says_what_is_wrong_with_a_frame(self, octets, fault, reason):
        with pytest.raises(FrameError) as caught:
            decode_tm_frame(octets, NO_FECF)
        assert caught.value.fault == fault
        assert reason in caught.value.reason

    def test_says_which_error_control_field_it_expected(self):
        octets = bytearray(encode_tm_frame(frame(), FORMAT))
        good = octets[-2:].hex()
        octets[-1] ^= 1
        with pytest.raises(FrameError) as caught:
            decode_tm_frame(bytes(octets), FORMAT)
        assert caught.value.fault == FrameFault.FECF
        assert str(caught.value) == (
            f"frame error control field {octets[-2:].hex()}, expected {good}"
        )

    @given(bits=st.sets(st.integers(0, 319), min_size=1, max_size=3))
    def test_sees_up_to_three_wrong_bits_anywhere(self, bits):
        octets = encode_tm_frame(frame(), FORMAT)
        spoilt = int.from_bytes(octets, "big")
        for bit in bits:
            spoilt ^= 1 << bit
        with pytest.raises(FrameError):
            decode_tm_frame(spoilt.to_bytes(40, "big"), FORMAT)

    @given(
        octets=st.binary(min_size=13, max_size=64), has_ocf=st.booleans(), has_fecf=st.booleans()
    )
    def test_noise_is_a_frame_or_a_frame_error(self, octets, has_ocf, has_fecf):
        frame_format = TmFrameFormat(
            frame_length_octets=len(octets), has_ocf=has_ocf, has_fecf=has_fecf
        )
        try:
            decoded = decode_tm_frame(octets, frame_format)
        except FrameError:
            return
        assert encode_tm_frame(decoded, frame_format) == octets

    def test_knows_an_idle_frame(self):
        assert frame(first_header_pointer=ONLY_IDLE_DATA).is_only_idle_data
        assert not frame(first_header_pointer=NO_PACKET_START).is_only_idle_data
        assert not frame(
            first_header_pointer=ONLY_IDLE_DATA, synchronisation_flag=True
        ).is_only_idle_data

    @pytest.mark.parametrize(
        ("fields", "text"),
        [
            ({"spacecraft_id": 1024}, "spacecraft 1024 is outside 0 to 1023"),
            ({"virtual_channel_id": 8}, "virtual channel 8 is outside 0 to 7"),
            ({"first_header_pointer": -1}, "first header pointer -1 is outside 0 to 2047"),
            ({"ocf": b"123"}, "OCF length in octets 3 is outside 4 to 4"),
            ({"ocf": None}, "this channel needs an operational control field"),
            ({"data": b"short"}, "would have 17 octets, the channel's frames have 40"),
            ({"secondary_header": b""}, "secondary header length in octets 0 is outside 1 to 63"),
        ],
    )
    def test_refuses_to_encode_what_is_no_frame_of_the_channel(self, fields, text):
        with pytest.raises(ValueError, match=text):
            encode_tm_frame(frame(**fields), FORMAT)

    def test_refuses_a_control_field_where_the_channel_has_none(self):
        without = TmFrameFormat(frame_length_octets=40, has_ocf=False, has_fecf=True)
        with pytest.raises(ValueError, match="this channel has no operational control field"):
            encode_tm_frame(frame(), without)

    @pytest.mark.parametrize("length", [12, 2049])
    def test_refuses_a_format_that_no_frame_has(self, length):
        with pytest.raises(ValueError, match=f"frame length {length} is outside 13 to 2048"):
            TmFrameFormat(frame_length_octets=length, has_ocf=True, has_fecf=True)


class TestRealFrames:
    def test_reads_a_frame_with_clcw_and_error_control_of_yamcs(self):
        items = json.loads(shared_vector("frames/yamcs_test_arrays.json").read_text())["items"]
        octets = bytes.fromhex(items["tctm/ccsds/TmFrameDecoderTest.java"]["TM_FRAME_01"])
        frame_format = TmFrameFormat(frame_length_octets=1115, has_ocf=True, has_fecf=True)
        decoded = decode_tm_frame(octets, frame_format)
        assert (decoded.spacecraft_id, decoded.virtual_channel_id) == (758, 0)
        assert decoded.first_header_pointer == 0
        assert decoded.data[:6] == bytes.fromhex("0cd2c000001a")
        assert decode_clcw(decoded.ocf).report_value == 0
        assert encode_tm_frame(decoded, frame_format) == octets

    def test_reads_the_same_frame_as_another_library_made(self):
        text = shared_vector("frames/spacepylibrary_testdata.json").read_text()
        items = json.loads(text)["items"]
        frame_format = TmFrameFormat(frame_length_octets=1115, has_ocf=True, has_fecf=True)
        octets = bytes.fromhex(items["TM_FRAME_01"])
        assert encode_tm_frame(decode_tm_frame(octets, frame_format), frame_format) == octets
