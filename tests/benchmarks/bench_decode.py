"""What decoding costs: `make bench-decode`. Not a part of the test suite.

One process on one core, no socket, no disk; processor time counts, not the wall. The last
line is JSON; figures of values are parameters in a second, as raw columns:

* ``fixed_values_per_s``: one container of 50 parameters on whole octets;
* ``bits_values_per_s``: one container of 50 parameters of 12 bits;
* ``load_values_per_s``: the telemetry load, three containers in turn, packets in one
  piece of memory; ``load_list_values_per_s``: packets one by one as ``bytes``;
* ``varying_values_per_s``: a container with a condition, an array and a binary whose
  lengths the packet gives; ``one_packet_values_per_s``: the same, a call a packet;
* ``pipeline_values_per_s``: the load in one piece of memory through times, counts,
  columns and limits, 2,000 packets at once; ``pipeline_packets_values_per_s``: packets
  one by one; ``pipeline_frames_values_per_s``: out of TM frames;
* ``rs_clean_per_s``, ``rs_dirty_per_s``: codewords (255,223), without and with 16 wrong
  symbols each;
* ``cadu_mbit_per_s``: frame data out of an octet stream: markers, randomiser, code.

PACKETS says how many packets; default 60,000. The load is beside the project
(``../shared/telemetry_load``); without it, its figures are left out.
"""

from __future__ import annotations

import itertools
import json
import os
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from telemetry.ccsds.cadu import attach_marker
from telemetry.ccsds.channel_decoder import ChannelCoding, ChannelDecoder
from telemetry.ccsds.frame_builder import VirtualChannelMultiplexer
from telemetry.ccsds.packet_batch import PacketBatch
from telemetry.ccsds.randomiser import RandomiserSequence, randomise_blocks
from telemetry.ccsds.reed_solomon import ReedSolomonCode, decode_codeblocks, encode_codeblocks
from telemetry.ccsds.time_codes import CucFormat
from telemetry.ccsds.tm_frame import TmFrameFormat
from telemetry.dictionary import Decoder, Dictionary, compile_dictionary, parse_xtce
from telemetry.limits import definition_of
from telemetry.pipeline import (
    PacketTime,
    ReceivedFrame,
    ReceivedPacket,
    TelemetryPipeline,
    unix_us,
)

LOAD = Path(
    os.environ.get("LOAD", Path(__file__).resolve().parents[3] / "shared" / "telemetry_load")
)
PACKETS = int(os.environ.get("PACKETS", "60000"))
FRAME = TmFrameFormat(frame_length_octets=1115, has_ocf=True, has_fecf=True)
CODE = ReedSolomonCode(interleave=5)
BLOCKS = 800  # Reed-Solomon codeblocks of five codewords
ROUNDS = 5
RNG = np.random.default_rng(1)

HEADER = {"VER": 3, "TYPE": 1, "SHF": 1, "APID": 11, "FLAGS": 2, "SEQ": 14, "LEN": 16}
OCTETS_IN_N = (
    '<DynamicValue><ParameterInstanceRef parameterRef="N"/>'
    '<LinearAdjustment slope="{}" intercept="{}"/></DynamicValue>'
)


def main() -> None:
    figures = fixed_layouts() | varying_layouts() | channel_coding()
    if LOAD.exists():
        figures |= telemetry_load()
    print(json.dumps({name: round(value) for name, value in figures.items()}))


def per_second(count: float, work: Callable[[], object]) -> float:
    """Return how many of *count* things are done in a second: the best of some rounds."""
    best = float("inf")
    for _ in range(ROUNDS):
        begin = time.process_time()
        work()
        best = min(best, time.process_time() - begin)
    return count / best


def values_in(decoder: Decoder, packets: PacketBatch | list[bytes]) -> int:
    result = decoder.decode(packets)
    assert not result.undecoded
    return sum(len(batch.columns) * len(batch.indices) for batch in result.batches)


def dictionary_of(types: str, parameters: dict[str, str], entries: str) -> Dictionary:
    """Return a dictionary of one container after the primary header."""
    heads = "".join(integer(f"{name}_t", size) for name, size in HEADER.items())
    declared = {name: f"{name}_t" for name in HEADER} | parameters
    sets = {
        "ParameterTypeSet": heads + types,
        "ParameterSet": "".join(
            f'<Parameter name="{name}" parameterTypeRef="{kind}"/>'
            for name, kind in declared.items()
        ),
        "ContainerSet": '<SequenceContainer name="C"><EntryList>'
        + "".join(map(entry, HEADER))
        + entries
        + "</EntryList></SequenceContainer>",
    }
    inside = "".join(f"<{name}>{content}</{name}>" for name, content in sets.items())
    return parse_xtce(
        '<SpaceSystem name="Bench" xmlns="http://www.omg.org/spec/XTCE/20180204">'
        f"<TelemetryMetaData>{inside}</TelemetryMetaData></SpaceSystem>".encode()
    )


def integer(name: str, size_bits: int) -> str:
    return (
        f'<IntegerParameterType name="{name}"><IntegerDataEncoding sizeInBits="{size_bits}"/>'
        "</IntegerParameterType>"
    )


def entry(name: str, inside: str = "") -> str:
    return f'<ParameterRefEntry parameterRef="{name}">{inside}</ParameterRefEntry>'


def packet(data: bytes, count: int) -> bytes:
    header = (0x0805, 0xC000 | count & 0x3FFF, len(data) - 1)
    return b"".join(word.to_bytes(2, "big") for word in header) + data


def fixed_layouts() -> dict[str, float]:
    figures = {}
    for name, sizes in (("fixed", [32, 16, 8, 64, 16] * 10), ("bits", [12] * 50)):
        kinds = {f"P{i}": f"u{size}" for i, size in enumerate(sizes)}
        types = "".join(integer(f"u{size}", size) for size in sorted(set(sizes)))
        dictionary = dictionary_of(types, kinds, "".join(map(entry, kinds)))
        body = sum(sizes) // 8
        batch = PacketBatch.of([packet(RNG.bytes(body), i) for i in range(PACKETS)])
        decoder = compile_dictionary(dictionary)
        count = values_in(decoder, batch)
        figures[f"{name}_values_per_s"] = per_second(count, lambda d=decoder, b=batch: d.decode(b))
    return figures


def varying_layouts() -> dict[str, float]:
    types = (
        integer("u8", 8)
        + integer("u16", 16)
        + '<ArrayParameterType name="list" arrayTypeRef="u16"><DimensionList><Dimension>'
        "<StartingIndex><FixedValue>0</FixedValue></StartingIndex><EndingIndex>"
        + OCTETS_IN_N.format(1, -1)
        + "</EndingIndex></Dimension></DimensionList></ArrayParameterType>"
        '<BinaryParameterType name="blob"><BinaryDataEncoding><SizeInBits>'
        + OCTETS_IN_N.format(8, 0)
        + "</SizeInBits></BinaryDataEncoding></BinaryParameterType>"
    )
    kinds = {"N": "u8", "LIST": "list", "BLOB": "blob"} | {f"P{i}": "u16" for i in range(30)}
    when = '<IncludeCondition><Comparison parameterRef="N" value="4"/></IncludeCondition>'
    entries = "".join(map(entry, ("N", "LIST", "BLOB", *(f"P{i}" for i in range(29)))))
    decoder = compile_dictionary(dictionary_of(types, kinds, entries + entry("P29", when)))
    packets = []
    for number in range(PACKETS):
        n = number % 8
        packets.append(packet(bytes([n]) + RNG.bytes(3 * n + 58 + 2 * (n == 4)), number))
    count = values_in(decoder, packets)
    few = packets[: min(2000, PACKETS)]
    return {
        "varying_values_per_s": per_second(count, lambda: decoder.decode(packets)),
        "one_packet_values_per_s": per_second(
            count * len(few) / len(packets), lambda: [decoder.decode([each]) for each in few]
        ),
    }


def channel_coding() -> dict[str, float]:
    frames = RNG.integers(0, 256, (BLOCKS, CODE.frame_octets), dtype=np.uint8)
    blocks = encode_codeblocks(frames, CODE)
    dirty = blocks.copy()
    for block in dirty:
        for word in range(CODE.interleave):
            places = RNG.choice(255, 16, replace=False) * CODE.interleave + word
            block[places] ^= RNG.integers(1, 256, 16, dtype=np.uint8)
    assert (decode_codeblocks(dirty, CODE).frames == frames).all()
    sequence = RandomiserSequence.DEGREE_17
    stream = b"".join(attach_marker(b.tobytes()) for b in randomise_blocks(blocks, sequence))
    coding = ChannelCoding(frame_octets=1115, reed_solomon=CODE, randomiser=sequence)
    words = BLOCKS * CODE.interleave
    return {
        "rs_clean_per_s": per_second(words, lambda: decode_codeblocks(blocks, CODE)),
        "rs_dirty_per_s": per_second(words, lambda: decode_codeblocks(dirty, CODE)),
        "cadu_mbit_per_s": per_second(
            frames.size * 8e-6, lambda: ChannelDecoder(coding).receive(stream)
        ),
    }


def telemetry_load() -> dict[str, float]:
    module: dict[str, Any] = {"__name__": "packets"}
    exec(compile((LOAD / "packets.py").read_text(), "packets.py", "exec"), module)
    packets = list(itertools.islice(module["packets"](PACKETS), PACKETS))
    dictionary = parse_xtce((LOAD / "odc.xml").read_bytes())
    decoder = compile_dictionary(dictionary)
    batch = PacketBatch.of(packets)
    count = values_in(decoder, batch)
    return {
        "load_values_per_s": per_second(count, lambda: decoder.decode(batch)),
        "load_list_values_per_s": per_second(count, lambda: decoder.decode(packets)),
        **through_the_pipeline(dictionary, decoder, packets, count),
    }


def through_the_pipeline(
    dictionary: Dictionary, decoder: Decoder, packets: list[bytes], count: int
) -> dict[str, float]:
    """Measure in batches of 2,000 packets or 200 frames, as a receiver takes them."""
    at = datetime(2027, 1, 1, tzinfo=UTC) + timedelta(days=1)
    bare = [ReceivedPacket(octets=each, received_at=at, station="S") for each in packets]
    frames = [
        ReceivedFrame(octets=each, received_at=at, station="S") for each in frames_of(packets)
    ]
    pieces = [PacketBatch.of(packets[i : i + 2000]) for i in range(0, len(packets), 2000)]
    received_us = np.full(2000, unix_us(at))

    def take_columns() -> None:
        line = pipeline(dictionary, decoder)
        for piece in pieces:
            line.receive_packet_columns(piece, received_us=received_us[: len(piece)], station="S")

    def take_packets() -> None:
        line = pipeline(dictionary, decoder)
        for begin in range(0, len(bare), 2000):
            line.receive_packets(bare[begin : begin + 2000])

    def take_frames() -> None:
        line = pipeline(dictionary, decoder)
        for begin in range(0, len(frames), 200):
            line.receive_frames(frames[begin : begin + 200])

    return {
        "pipeline_values_per_s": per_second(count, take_columns),
        "pipeline_packets_values_per_s": per_second(count, take_packets),
        "pipeline_frames_values_per_s": per_second(count, take_frames),
    }


def pipeline(dictionary: Dictionary, decoder: Decoder) -> TelemetryPipeline:
    limits = [definition_of(p, dictionary.parameters) for p in dictionary.parameters.values()]
    return TelemetryPipeline(
        spacecraft_id=1,
        decoder=decoder,
        parameters=dictionary.parameters,
        limit_definitions=[limit for limit in limits if limit is not None],
        frame_format=FRAME,
        packet_time=PacketTime(code=CucFormat(epoch=datetime(1970, 1, 1, tzinfo=UTC))),
    )


def frames_of(packets: list[bytes]) -> list[bytes]:
    multiplexer = VirtualChannelMultiplexer(spacecraft_id=1, frame_format=FRAME)
    for each in packets:
        multiplexer.add_packet(0, each)
    frames = []
    while multiplexer.pending_octets(0):
        frames.append(multiplexer.next_frame(bytes(4)))
    return frames


if __name__ == "__main__":
    main()
