"""``manage.py decode_packets`` as a user runs it: a process of its own, no database."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from space_packet_parser.xtce.definitions import XtcePacketDefinition

from tests.unit.telemetry.dictionary import bits
from tests.vectors import shared_vector

pytestmark = pytest.mark.once

ROOT = Path(__file__).resolve().parents[3]


def decode(*arguments: str | Path) -> subprocess.CompletedProcess[bytes]:
    nowhere = {"DATABASE_URL": "postgres://nobody@127.0.0.1:1/none"}
    return subprocess.run(
        [sys.executable, "manage.py", "decode_packets", *map(str, arguments)],
        cwd=ROOT,
        env=os.environ | nowhere,
        capture_output=True,
        check=False,
        timeout=120,
    )


@pytest.fixture
def dictionary(tmp_path) -> Path:
    path = tmp_path / "craft.xml"
    header = [("VER", 3), ("TYPE", 1), ("SHF", 1), ("APID", 11), ("FLAGS", 2), ("SEQ", 14)]
    sizes = [*header, ("LEN", 16), ("N", 8)]
    path.write_bytes(
        bits.document(
            types="".join(bits.integer_type(f"{name}_t", size) for name, size in sizes),
            parameters="".join(bits.parameter(name, f"{name}_t") for name, _ in sizes),
            containers=bits.container("Packet", "".join(bits.entry(name) for name, _ in sizes)),
        )
    )
    return path


@pytest.fixture
def packets(tmp_path) -> Path:
    path = tmp_path / "packets.bin"
    path.write_bytes(b"".join(b"\x08\x05\xc0" + bytes([i, 0, 0, i]) for i in range(3)))
    return path


class TestDecodePackets:
    def test_equals_an_independent_interpreter_on_real_packets(self):
        xml = shared_vector("xtce_jpss/jpss1_geolocation_xtce_v1.xml")
        recording = shared_vector("xtce_jpss/J01_geolocation_packets.bin")
        done = decode("--dictionary", xml, recording)
        assert done.stderr.decode().splitlines() == ["7200 packets decoded, 0 not"]
        records = [json.loads(line) for line in done.stdout.splitlines()]
        definition = XtcePacketDefinition.from_xtce(
            io.BytesIO(xml.read_bytes()), root_container_name="CCSDSPacket"
        )
        stream, offset = recording.read_bytes(), 0
        for record in records:
            end = offset + 7 + int.from_bytes(stream[offset + 4 : offset + 6], "big")
            wanted = definition.parse_bytes(stream[offset:end])
            offset = end
            assert record["parameters"] == {
                name: {"raw": value.raw_value, "value": value} for name, value in wanted.items()
            }
            assert record["sequence_count"] == wanted["SRC_SEQ_CTR"]
        assert offset == len(stream)

    def test_writes_csv_and_parquet_to_a_file(self, dictionary, packets, tmp_path):
        csv = tmp_path / "out.csv"
        done = decode("--dictionary", dictionary, packets, "--format", "csv", "--output", csv)
        assert done.returncode == 0
        assert csv.read_text().splitlines()[1] == "Packet,5,0,0,0,1,5,3,0,0,0"
        parquet = tmp_path / "out.parquet"
        decode("--dictionary", dictionary, packets, "--format", "parquet", "--output", parquet)
        assert parquet.read_bytes()[:4] == b"PAR1"

    def test_skips_octets_before_each_packet(self, dictionary, packets, tmp_path):
        tagged = tmp_path / "tagged.bin"
        octets = packets.read_bytes()
        tagged.write_bytes(b"".join(b"TAG!" + octets[i : i + 7] for i in (0, 7, 14)))
        done = decode("--dictionary", dictionary, tagged, "--skip-octets", "4", "--raw")
        records = [json.loads(line) for line in done.stdout.splitlines()]
        assert [record["parameters"]["N"] for record in records] == [{"raw": i} for i in range(3)]

    def test_tells_what_it_could_not_decode_and_goes_on(self, dictionary, packets):
        packets.write_bytes(packets.read_bytes()[:7] + b"\x08\x05\xc0" + packets.read_bytes()[:7])
        done = decode("--dictionary", dictionary, packets)
        told = done.stderr.decode().splitlines()
        assert told == [
            "3 octets are no packet: the length field announces 1479 octets, 10 are present;"
            " they begin 08 05 c0",
            "2 packets decoded, 0 not, 3 octets are no packets",
        ]
        assert done.returncode == 0

    @pytest.mark.parametrize(
        ("spoil", "message"),
        [
            (lambda xml: xml.replace(b'"unsigned"', b'"BCD"', 1), "line 4: encoding='BCD'"),
            (lambda xml: xml[:-20], "not well-formed XML"),
            (
                lambda xml: xml.replace(b'parameterRef="N"', b'parameterRef="M"'),
                "line 6: there is",
            ),
        ],
    )
    def test_refuses_a_dictionary_with_file_and_line(self, dictionary, packets, spoil, message):
        dictionary.write_bytes(spoil(dictionary.read_bytes()))
        done = decode("--dictionary", dictionary, packets)
        assert done.returncode == 1
        assert f"CommandError: {dictionary}: " in done.stderr.decode()
        assert message in done.stderr.decode()
        assert done.stdout == b""

    def test_says_which_file_is_not_there(self, dictionary, tmp_path):
        done = decode("--dictionary", dictionary, tmp_path / "nothing.bin")
        assert done.returncode == 1
        assert "nothing.bin: No such file or directory." in done.stderr.decode()
        done = decode("--dictionary", tmp_path / "nothing.xml", tmp_path / "nothing.bin")
        assert "nothing.xml cannot be read" in done.stderr.decode()

    def test_ends_quietly_when_nobody_reads_on(self, dictionary, packets):
        packets.write_bytes(packets.read_bytes() * 20_000)
        command = f"{sys.executable} manage.py decode_packets --dictionary {dictionary} {packets}"
        done = subprocess.run(
            ["/bin/sh", "-c", f"{command} | head -1"],
            cwd=ROOT,
            capture_output=True,
            check=False,
            timeout=120,
        )
        assert json.loads(done.stdout)["container"] == "Packet"
        assert b"Traceback" not in done.stderr
        assert b"BrokenPipe" not in done.stderr
