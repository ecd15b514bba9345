from __future__ import annotations

import sys
from argparse import ArgumentParser
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, Final, TextIO

from django.core.management.base import BaseCommand, CommandError

from telemetry.ccsds.packet_stream import StreamFormat
from telemetry.decoding import (
    CsvTable,
    DecodedChunk,
    JsonLines,
    PacketFile,
    ParquetTable,
)
from telemetry.dictionary import (
    Decoder,
    Dictionary,
    DictionaryError,
    XtceError,
    compile_dictionary,
    parse_xtce,
)

_TOLD_ONE_BY_ONE: Final = 20  # packets that could not be decoded; the rest is counted


class Command(BaseCommand):
    help = (
        "Decode a file of space packets by an XTCE dictionary, without a database. JSON is "
        "one object a packet; what cannot be decoded is told on standard error."
    )
    requires_system_checks = ()  # it needs neither database nor broker

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path, help="space packets, one after the other")
        parser.add_argument("--dictionary", type=Path, required=True, help="XTCE 1.2 document")
        parser.add_argument(
            "--root", help="container that every packet is; where the dictionary has several"
        )
        parser.add_argument(
            "--skip-octets",
            type=int,
            default=0,
            metavar="N",
            help="octets before each packet that are not its own; default: 0",
        )
        parser.add_argument(
            "--format", choices=("json", "csv", "parquet"), default="json", help="default: json"
        )
        parser.add_argument(
            "--raw",
            action="store_true",
            help="values as sent: of JSON only these, of tables these instead",
        )
        parser.add_argument("--output", type=Path, help="file to write; default: standard output")

    def handle(
        self,
        *,
        file: Path,
        dictionary: Path,
        root: str | None,
        skip_octets: int,
        output: Path | None,
        **options: Any,
    ) -> None:
        if options["format"] == "parquet" and output is None and sys.stdout.isatty():
            raise CommandError("Parquet is no text: give a file to write with --output FILE.")
        what, decoder = self._compile(dictionary, root)
        tally = _Tally(self.stderr)
        try:
            rules = StreamFormat(prefix_octets=skip_octets)
            with file.open("rb") as packets, _opened(output) as sink:
                chunks = tally.counted(PacketFile(packets, decoder, rules).chunks())
                _write(chunks, what, sink, kind=options["format"], raw=options["raw"])
        except BrokenPipeError:
            sys.stdout = None  # nobody reads on; nothing is to be flushed
            return
        except OSError as error:
            raise CommandError(f"{error.filename or file}: {error.strerror}.") from error
        except ValueError as error:
            raise CommandError(str(error)) from error
        tally.tell()

    def _compile(self, path: Path, root: str | None) -> tuple[Dictionary, Decoder]:
        try:
            dictionary = parse_xtce(path.read_bytes(), telemetry_only=True)
            decoder = compile_dictionary(dictionary, root=root)
        except OSError as error:
            raise CommandError(f"{path} cannot be read: {error.strerror}.") from error
        except (XtceError, DictionaryError) as error:
            raise CommandError(f"{path}: {error}") from error
        for notice in dictionary.notices:
            self.stderr.write(f"{path}: {notice}")
        return dictionary, decoder


def _write(
    chunks: Iterator[DecodedChunk], dictionary: Dictionary, sink: BinaryIO, *, kind: str, raw: bool
) -> None:
    if kind == "json":
        lines = JsonLines(dictionary.parameters, raw_only=raw)
        for chunk in chunks:
            sink.writelines(f"{line}\n".encode() for line in lines.lines(chunk))
    elif kind == "csv":
        csv = CsvTable(dictionary, raw=raw)
        sink.write(csv.header().encode())
        for chunk in chunks:
            sink.write(csv.rows(chunk).encode())
    else:
        with ParquetTable(dictionary, sink, raw=raw) as table:
            for chunk in chunks:
                table.add(chunk)


@contextmanager
def _opened(output: Path | None) -> Iterator[BinaryIO]:
    if output is None:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    with output.open("wb") as sink:
        yield sink


class _Tally:
    """Counts packets, and tells why some were not decoded."""

    def __init__(self, stderr: TextIO | Any) -> None:
        self._stderr = stderr
        self._decoded = self._idle = self._rejected = 0
        self._reasons: Counter[str] = Counter()

    def counted(self, chunks: Iterator[DecodedChunk]) -> Iterator[DecodedChunk]:
        for chunk in chunks:
            self._count(chunk)
            yield chunk

    def _count(self, chunk: DecodedChunk) -> None:
        self._idle += chunk.idle
        self._decoded += len(chunk.packets) - len(chunk.result.undecoded)
        for rejected in chunk.rejected:
            self._rejected += len(rejected.octets)
            self._stderr.write(
                f"{len(rejected.octets)} octets are no packet: {rejected.reason};"
                f" they begin {rejected.octets[:16].hex(' ')}"
            )
        apids = chunk.packets.apids
        for undecoded in chunk.result.undecoded:
            if self._reasons.total() < _TOLD_ONE_BY_ONE:
                number, apid = chunk.first + undecoded.index, apids[undecoded.index]
                self._stderr.write(f"packet {number} (APID {apid}): {undecoded.reason}")
            self._reasons[undecoded.reason] += 1

    def tell(self) -> None:
        failed = self._reasons.total()
        parts = [f"{self._decoded} packets decoded", f"{failed} not"]
        parts += [f"{self._idle} idle"] if self._idle else []
        parts += [f"{self._rejected} octets are no packets"] if self._rejected else []
        self._stderr.write(", ".join(parts))
        if failed > _TOLD_ONE_BY_ONE:
            for reason, count in self._reasons.most_common(_TOLD_ONE_BY_ONE):
                self._stderr.write(f"  {count}: {reason}")
