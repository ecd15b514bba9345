from __future__ import annotations

import pytest
import reedsolo
from hypothesis import given
from hypothesis import strategies as st

from telemetry.ccsds.aos_frame import (
    ALL_BITS_VALID,
    ONLY_IDLE_BITS,
    AosFrame,
    AosFrameFormat,
    bitstream_data,
    decode_aos_frame,
    encode_aos_frame,
    multiplexed_data,
    multiplexed_packets,
)
from telemetry.ccsds.channel_decoder import ChannelCoding, ChannelDecoder
from telemetry.ccsds.clcw import decode_clcw
from telemetry.ccsds.frame_fault import FrameError, FrameFault
from telemetry.ccsds.frame_header_error_control import corrected_header, header_check_symbols
from telemetry.ccsds.packet_extractor import FramesLost, PacketExtracted, PacketExtractor
from telemetry.ccsds.randomiser import RandomiserSequence
from telemetry.ccsds.reed_solomon import ReedSolomonCode
from tests.vectors import shared_vector


def frame(frame_format: AosFrameFormat, **fields) -> AosFrame:
    settings = {
        "spacecraft_id": 0xAB,
        "virtual_channel_id": 42,
        "virtual_channel_frame_count": 7,
        "data": b"\x55" * frame_format.data_field_octets,
        "insert_zone": b"i" * frame_format.insert_zone_octets,
        "ocf": b"\1\2\3\4" if frame_format.has_ocf else None,
    }
    return AosFrame(**(settings | fields))


FORMAT = AosFrameFormat(frame_length_octets=32, has_fecf=True)


class TestCoding:
    def test_puts_the_header_fields_where_the_book_has_them(self):
        # 732.0-B-5 section 4.1.2: version 01, spacecraft 8 bits, channel 6, count 24,
        # replay, cycle use, two more bits of the spacecraft, cycle of 4 bits.
        octets = encode_aos_frame(
            frame(
                FORMAT,
                spacecraft_id=0x2AB,
                virtual_channel_frame_count=0x9123456,
                has_count_cycle=True,
                is_replay=True,
            ),
            FORMAT,
        )
        assert octets[:6].hex() == "6aea123456e9"

    @given(
        spacecraft=st.integers(0, 1023),
        channel=st.integers(0, 63),
        count=st.integers(0, (1 << 28) - 1),
        replay=st.booleans(),
        cycle=st.booleans(),
        ocf=st.booleans(),
        fecf=st.booleans(),
        control=st.booleans(),
        zone=st.integers(0, 9),
    )
    def test_reads_back_what_it_wrote(
        self, spacecraft, channel, count, replay, cycle, ocf, fecf, control, zone
    ):
        frame_format = AosFrameFormat(
            frame_length_octets=64,
            has_ocf=ocf,
            has_fecf=fecf,
            has_header_error_control=control,
            insert_zone_octets=zone,
        )
        sent = frame(
            frame_format,
            spacecraft_id=spacecraft,
            virtual_channel_id=channel,
            virtual_channel_frame_count=count if cycle else count % (1 << 24),
            has_count_cycle=cycle,
            is_replay=replay,
        )
        assert decode_aos_frame(encode_aos_frame(sent, frame_format), frame_format) == sent

    @pytest.mark.parametrize(
        ("spoil", "fault", "reason"),
        [
            (lambda o: o[:-1], FrameFault.LENGTH, "frame of 31 octets, expected 32"),
            (lambda o: o[:9] + b"!" + o[10:], FrameFault.FECF, "frame error control field"),
        ],
    )
    def test_rejects_what_the_sky_spoilt(self, spoil, fault, reason):
        octets = encode_aos_frame(frame(FORMAT), FORMAT)
        with pytest.raises(FrameError, match=reason) as caught:
            decode_aos_frame(spoil(octets), FORMAT)
        assert caught.value.fault is fault

    def test_rejects_a_frame_of_another_protocol(self):
        plain = AosFrameFormat(frame_length_octets=32, has_fecf=False)
        with pytest.raises(FrameError, match="version number 0, expected 1") as caught:
            decode_aos_frame(bytes(32), plain)
        assert caught.value.fault is FrameFault.VERSION

    @pytest.mark.parametrize(
        "fields",
        [
            {"spacecraft_id": 1024},
            {"virtual_channel_id": 64},
            {"virtual_channel_frame_count": 1 << 24},
            {"data": b"short"},
            {"ocf": b"\0\0\0\0"},
            {"insert_zone": b"x"},
        ],
    )
    def test_refuses_to_write_what_the_format_does_not_hold(self, fields):
        with pytest.raises(ValueError):
            encode_aos_frame(frame(FORMAT, **fields), FORMAT)

    @pytest.mark.parametrize(
        "fields",
        [
            {"frame_length_octets": 10},
            {"frame_length_octets": 65_537},
            {"frame_length_octets": 32, "insert_zone_octets": -1},
        ],
    )
    def test_refuses_a_format_without_room(self, fields):
        with pytest.raises(ValueError):
            AosFrameFormat(has_fecf=True, **fields)


class TestHeaderErrorControl:
    @given(header=st.binary(min_size=3, max_size=3))
    def test_equals_an_independent_encoder(self, header):
        # PyPI reedsolo: (10,6) over 16 elements, F(x) = x^4 + x + 1, roots a^6 to a^9.
        codec = reedsolo.RSCodec(4, nsize=15, fcr=6, prim=0x13, generator=2, c_exp=4)
        symbols = [half for octet in header for half in (octet >> 4, octet & 15)]
        word = codec.encode(bytes(symbols))
        checks = bytes([word[6] << 4 | word[7], word[8] << 4 | word[9]])
        assert header_check_symbols(header) == checks

    @given(
        header=st.binary(min_size=3, max_size=3),
        errors=st.lists(st.tuples(st.integers(0, 9), st.integers(1, 15)), max_size=2),
    )
    def test_mends_two_symbols_anywhere(self, header, errors):
        word = bytearray(header + header_check_symbols(header))
        for place, change in errors:
            word[place // 2] ^= change << (4 if place % 2 == 0 else 0)
        assert corrected_header(bytes(word[:3]), bytes(word[3:])) == header

    def test_mends_a_frame_header_and_rejects_what_it_cannot(self):
        frame_format = AosFrameFormat(
            frame_length_octets=32, has_fecf=False, has_header_error_control=True
        )
        sent = frame(frame_format)
        octets = bytearray(encode_aos_frame(sent, frame_format))
        octets[0] ^= 0x33
        assert decode_aos_frame(bytes(octets), frame_format) == sent
        octets[5] ^= 0x11
        with pytest.raises(FrameError, match="more errors than its error control") as caught:
            decode_aos_frame(bytes(octets), frame_format)
        assert caught.value.fault is FrameFault.HEADER_ERROR_CONTROL


class TestDataFields:
    @given(pointer=st.integers(0, 0x7FF), zone=st.binary(max_size=20))
    def test_takes_packets_out_of_a_multiplexed_unit(self, pointer, zone):
        assert multiplexed_packets(multiplexed_data(pointer, zone)) == (pointer, zone)

    @pytest.mark.parametrize(
        ("pointer", "bits"), [(0, 1), (7, 8), (15, 16), (ONLY_IDLE_BITS, 0), (ALL_BITS_VALID, 24)]
    )
    def test_says_how_many_bits_of_a_bitstream_unit_are_data(self, pointer, bits):
        unit = bitstream_data(pointer.to_bytes(2, "big") + b"abc")
        assert (unit.octets, unit.bits) == (b"abc", bits)

    def test_refuses_a_bitstream_pointer_outside_the_zone(self):
        with pytest.raises(ValueError, match="pointer 24 is outside the zone of 24 bits"):
            bitstream_data((24).to_bytes(2, "big") + b"abc")


class TestRealFrames:
    def test_takes_a_recorded_downlink_of_suomi_npp_down_to_its_packets(self):
        recording = shared_vector("frames/snpp_7cadus_2vcids.dat").read_bytes()
        decoder = ChannelDecoder(
            ChannelCoding(
                frame_octets=892,
                reed_solomon=ReedSolomonCode(interleave=4),
                randomiser=RandomiserSequence.DEGREE_8,
            )
        )
        decoded = decoder.receive(recording)
        assert (len(decoded.frames), decoded.bad_blocks, decoded.octets_skipped) == (7, [], 0)
        frame_format = AosFrameFormat(frame_length_octets=892, has_fecf=False)
        extractors: dict[int, PacketExtractor] = {}
        counts, packets = [], []
        for octets in decoded.frames:
            aos = decode_aos_frame(octets.tobytes(), frame_format)
            assert aos.spacecraft_id == 157
            pointer, zone = multiplexed_packets(aos.data)
            counts.append((aos.virtual_channel_id, aos.virtual_channel_frame_count))
            extractor = extractors.setdefault(
                aos.virtual_channel_id, PacketExtractor(count_modulus=aos.count_modulus)
            )
            for event in extractor.receive_frame(
                frame_count=aos.virtual_channel_frame_count,
                first_header_pointer=pointer,
                data=zone,
            ):
                if isinstance(event, PacketExtracted):
                    packets.append((aos.virtual_channel_id, event.octets))
                else:
                    assert not isinstance(event, FramesLost)
        assert [channel for channel, _ in counts] == [16] * 3 + [6] * 4
        assert [count - counts[0][1] for _, count in counts[:3]] == [0, 1, 2]
        assert [channel for channel, _ in packets] == [6]
        for _, octets in packets:
            assert len(octets) == 7 + int.from_bytes(octets[4:6], "big")

    def test_takes_a_coded_recording_down_to_its_packets(self):
        lines = shared_vector("frames/dumpFile_aos_1.hex").read_text().split()
        coding = ChannelCoding(frame_octets=892, reed_solomon=ReedSolomonCode(interleave=4))
        decoded = ChannelDecoder(coding).receive(bytes.fromhex("".join(lines)))
        assert (len(decoded.frames), decoded.corrected.tolist()) == (30, [0] * 30)
        frame_format = AosFrameFormat(frame_length_octets=892, has_fecf=False, has_ocf=True)
        extractors: dict[int, PacketExtractor] = {}
        lengths: dict[int, list[int]] = {}
        for octets in decoded.frames:
            aos = decode_aos_frame(octets.tobytes(), frame_format)
            assert aos.spacecraft_id == 123
            assert decode_clcw(aos.ocf).report_value == 0x79
            if aos.is_only_idle_data:
                continue
            pointer, zone = multiplexed_packets(aos.data)
            extractor = extractors.setdefault(
                aos.virtual_channel_id, PacketExtractor(count_modulus=aos.count_modulus)
            )
            for event in extractor.receive_frame(
                frame_count=aos.virtual_channel_frame_count,
                first_header_pointer=pointer,
                data=zone,
            ):
                assert isinstance(event, PacketExtracted)
                lengths.setdefault(aos.virtual_channel_id, []).append(len(event.octets))
        assert set(lengths) == {0, 1}
        assert {length for found in lengths.values() for length in found} == {406}
