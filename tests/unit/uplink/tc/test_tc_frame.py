from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telemetry.ccsds.space_packet import decode_space_packet, split_packets
from tests.vectors import shared_vector
from uplink.tc.tc_frame import (
    SegmentFlags,
    SegmentHeader,
    SetVr,
    TcFrame,
    TcFrameError,
    TcFrameFault,
    TcFrameFormat,
    Unlock,
    control_frame,
    decode_control_command,
    decode_tc_frame,
    encode_tc_frame,
    split_frames,
)

FORMAT = TcFrameFormat()
PLAIN = TcFrameFormat(has_segment_header=False)

segment_headers = st.builds(SegmentHeader, st.sampled_from(SegmentFlags), st.integers(0, 63))


@st.composite
def frames_with_formats(draw):
    has_segment_header = draw(st.booleans())
    control_command = draw(st.booleans())
    wants_segment_header = has_segment_header and not control_command
    frame = TcFrame(
        spacecraft_id=draw(st.integers(0, 1023)),
        virtual_channel_id=draw(st.integers(0, 63)),
        bypass=control_command or draw(st.booleans()),
        control_command=control_command,
        frame_sequence_number=draw(st.integers(0, 255)),
        segment_header=draw(segment_headers) if wants_segment_header else None,
        data=draw(st.binary(min_size=1, max_size=1000)),
    )
    return frame, TcFrameFormat(
        has_segment_header=has_segment_header, has_fecf=draw(st.booleans())
    )


def frame(**fields):
    plain = {
        "spacecraft_id": 0x2F6,
        "virtual_channel_id": 5,
        "bypass": False,
        "frame_sequence_number": 7,
        "segment_header": SegmentHeader(SegmentFlags.UNSEGMENTED, 3),
        "data": b"command",
    }
    return TcFrame(**(plain | fields))


class TestTcFrame:
    @given(drawn=frames_with_formats())
    def test_decodes_to_what_was_encoded(self, drawn):
        sent, frame_format = drawn
        assert decode_tc_frame(encode_tc_frame(sent, frame_format), frame_format) == sent

    def test_puts_each_field_where_the_book_says(self):
        octets = encode_tc_frame(frame(), TcFrameFormat(has_fecf=False))
        assert octets == bytes.fromhex("02f6 140c 07 c3") + b"command"
        bypass = encode_tc_frame(frame(bypass=True), TcFrameFormat(has_fecf=False))
        assert bypass[:2].hex() == "22f6"

    def test_fills_the_longest_frame_and_no_more(self):
        data = bytes(FORMAT.max_data_octets)
        assert len(encode_tc_frame(frame(data=data), FORMAT)) == 1024
        with pytest.raises(
            ValueError, match="would have 1025 octets; the channel's limit is 1024"
        ):
            encode_tc_frame(frame(data=data + b"x"), FORMAT)

    @pytest.mark.parametrize(
        ("octets", "fault", "reason"),
        [
            ("00010005", TcFrameFault.LENGTH, "frame of 4 octets, expected 8 to 1024"),
            ("4001000700000000", TcFrameFault.VERSION, "version number 1, expected 0"),
            ("0001000800000000", TcFrameFault.LENGTH, "says 9 octets, 8 are present"),
            ("0001000700000000", TcFrameFault.FECF, "0000, expected"),
        ],
    )
    def test_says_what_is_wrong_with_a_frame(self, octets, fault, reason):
        with pytest.raises(TcFrameError) as caught:
            decode_tc_frame(bytes.fromhex(octets), FORMAT)
        assert caught.value.fault == fault
        assert reason in caught.value.reason

    def test_refuses_the_reserved_flags(self):
        octets = bytes.fromhex("1001 0005 00 00")
        with pytest.raises(TcFrameError) as caught:
            decode_tc_frame(octets, TcFrameFormat(has_fecf=False))
        assert caught.value.fault == TcFrameFault.FLAGS

    def test_refuses_a_segment_header_without_data(self):
        octets = bytes.fromhex("0001 0005 00 c0")
        with pytest.raises(TcFrameError) as caught:
            decode_tc_frame(octets, TcFrameFormat(has_fecf=False))
        assert caught.value.fault == TcFrameFault.SEGMENT_HEADER

    @given(octets=st.binary(max_size=40), has_segment_header=st.booleans())
    def test_noise_is_a_frame_or_a_frame_error(self, octets, has_segment_header):
        frame_format = TcFrameFormat(has_segment_header=has_segment_header, has_fecf=False)
        try:
            decoded = decode_tc_frame(octets, frame_format)
        except TcFrameError:
            return
        # The two spare bits of the header are not kept.
        assert encode_tc_frame(decoded, frame_format)[1:] == octets[1:]

    @given(bits=st.sets(st.integers(0, 119), min_size=1, max_size=3))
    def test_sees_up_to_three_wrong_bits_anywhere(self, bits):
        octets = encode_tc_frame(frame(), FORMAT)
        spoilt = int.from_bytes(octets, "big")
        for bit in bits:
            spoilt ^= 1 << bit
        with pytest.raises(TcFrameError):
            decode_tc_frame(spoilt.to_bytes(len(octets), "big"), FORMAT)

    @pytest.mark.parametrize(
        ("fields", "text"),
        [
            ({"spacecraft_id": 1024}, "spacecraft 1024 is outside 0 to 1023"),
            ({"virtual_channel_id": 64}, "virtual channel 64 is outside 0 to 63"),
            ({"frame_sequence_number": 256}, "frame sequence number 256 is outside 0 to 255"),
            ({"data": b""}, "at least one octet of data"),
            ({"segment_header": None}, "this frame needs a segment header"),
            ({"control_command": True}, "without bypass flag is reserved"),
            ({"bypass": True, "control_command": True}, "this frame has no segment header"),
            (
                {"segment_header": SegmentHeader(SegmentFlags.FIRST, 64)},
                "MAP identifier 64 is outside 0 to 63",
            ),
        ],
    )
    def test_refuses_to_encode_what_is_no_frame_of_the_channel(self, fields, text):
        with pytest.raises(ValueError, match=text):
            encode_tc_frame(frame(**fields), FORMAT)

    @pytest.mark.parametrize("length", [8, 1025])
    def test_refuses_a_format_that_no_frame_has(self, length):
        with pytest.raises(
            ValueError, match=f"maximum frame length {length} is outside 9 to 1024"
        ):
            TcFrameFormat(max_frame_length_octets=length)


class TestControlCommands:
    @pytest.mark.parametrize(
        ("command", "octets"),
        [(Unlock(), "3001 0807 00 00"), (SetVr(0xAB), "3001 0809 00 8200ab")],
    )
    def test_travel_in_a_bc_frame_without_segment_header(self, command, octets):
        sent = control_frame(spacecraft_id=1, virtual_channel_id=2, command=command)
        encoded = encode_tc_frame(sent, FORMAT)
        assert encoded[:-2] == bytes.fromhex(octets)
        decoded = decode_tc_frame(encoded, FORMAT)
        assert decoded == sent
        assert decode_control_command(decoded.data) == command

    @pytest.mark.parametrize("data", [b"\x01", b"\x00\x00", b"\x82\x00", b"\x82\x01\x05"])
    def test_refuses_what_is_no_control_command(self, data):
        with pytest.raises(TcFrameError, match=f"control command {data.hex()}"):
            decode_control_command(data)

    def test_refuses_a_number_that_fits_no_frame(self):
        with pytest.raises(ValueError, match=r"V\*\(R\) 256 is outside 0 to 255"):
            control_frame(spacecraft_id=1, virtual_channel_id=2, command=SetVr(256))


class TestSplitFrames:
    @given(
        payloads=st.lists(st.binary(min_size=1, max_size=30), max_size=5), fill=st.integers(0, 6)
    )
    def test_yields_the_frames_of_a_cltu_and_leaves_out_the_fill(self, payloads, fill):
        octets = [encode_tc_frame(frame(data=payload), FORMAT) for payload in payloads]
        assert list(split_frames(b"".join(octets) + b"\x55" * fill)) == octets

    @given(octets=st.binary(max_size=60))
    def test_never_raises_on_noise(self, octets):
        assert sum(map(len, split_frames(octets))) <= len(octets)


class TestRealFrames:
    def test_makes_the_frames_of_another_library(self):
        text = shared_vector("frames/spacepylibrary_testdata.json").read_text()
        items = {name: bytes.fromhex(octets) for name, octets in json.loads(text)["items"].items()}
        for number in ("01", "02"):
            octets, segment = items[f"TC_FRAME_{number}"], items[f"TC_SEGMENT_{number}"]
            decoded = decode_tc_frame(octets, FORMAT)
            assert (decoded.spacecraft_id, decoded.bypass) == (758, True)
            assert decoded.segment_header.encode() + decoded.data == segment
            assert encode_tc_frame(decoded, FORMAT) == octets

    def test_reads_a_recording_of_frames_that_carry_several_packets(self):
        frame_format = TcFrameFormat(has_fecf=False)
        recording = shared_vector("frames/dumpFile_tc_plain_1.hex").read_text().split()
        for number, line in enumerate(recording):
            decoded = decode_tc_frame(bytes.fromhex(line), frame_format)
            assert (decoded.spacecraft_id, decoded.virtual_channel_id) == (123, 0)
            assert decoded.frame_sequence_number == number
            assert decoded.segment_header.flags == SegmentFlags.UNSEGMENTED
            packets = [decode_space_packet(octets) for octets in split_packets(decoded.data)]
            assert len(packets) == 3
