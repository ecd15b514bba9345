"""Takes the steps of a plan for many packets at once.

Every packet has its own bit for each base, so that a step which a packet decides is
still one operation on columns. A packet that contradicts the plan (too short, a size
that makes no sense) is refused with its reason, and the others go on.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, TypeVar

import numpy as np
import numpy.typing as npt

from telemetry.ccsds.packet_batch import PacketBatch
from telemetry.dictionary.calibration import engineering
from telemetry.dictionary.columns import BlockReader, Column, varying_octets
from telemetry.dictionary.conditions import Mask
from telemetry.dictionary.model import Parameter, ParameterInstance
from telemetry.dictionary.model.types import MAX_ELEMENTS
from telemetry.dictionary.plan import (
    PACKET_START,
    Block,
    Branch,
    FromPacket,
    Leaf,
    Loop,
    Move,
    PacketNumber,
    Position,
    Step,
    VaryingOctets,
)

Rows = npt.NDArray[np.intp]
Bits = npt.NDArray[np.int64]
Turns = tuple[int, ...]
T = TypeVar("T")

_LEAST_WIDTH: Final = 16  # octets of a varying string or binary that room is made for


@dataclass(frozen=True, slots=True)
class Piece:
    """Values of one parameter, of the packets in *rows* (ascending; ``None``: of all)."""

    parameter: Parameter
    rows: Rows | None
    values: Column

    def of(self, rows: Rows) -> tuple[Column, Mask | None]:
        """Return the values of *rows*, and which of them it has; ``None``: of all."""
        if self.rows is None:
            return self.values if len(rows) == len(self.values) else self.values[rows], None
        if self.rows is rows:
            return self.values, None
        if not len(self.rows):
            return np.zeros(len(rows), dtype=self.values.dtype), np.zeros(len(rows), dtype=bool)
        at = np.minimum(np.searchsorted(self.rows, rows), len(self.rows) - 1)
        has = self.rows[at] == rows
        return self.values[at], None if has.all() else has


class BlockReaders:
    """The compiled readers of a decoder's blocks, kept between calls."""

    def __init__(self) -> None:
        self._readers: dict[tuple[int, int], tuple[Block, BlockReader]] = {}

    def reader(self, block: Block, first_bit: int) -> BlockReader:
        key = (id(block), first_bit)
        if key not in self._readers:
            fields = [
                (encoding, field.position.offset_bits)
                for field in block.fields
                if (encoding := field.parameter.type.encoding) is not None
            ]
            # The block is kept with it, so that its identity is never given again.
            self._readers[key] = (block, BlockReader(fields, first_bit=first_bit))
        return self._readers[key][1]


class Walk:
    """The packets of one call, and what is known of them so far."""

    def __init__(self, packets: PacketBatch, readers: BlockReaders, bases: int) -> None:
        self.packets = packets
        self.pieces: list[Piece] = []  # of the container at hand and its bases
        self.refused: dict[int, str] = {}
        self._readers = readers
        self._start_bits = packets.starts * 8
        self._length_bits = packets.lengths * 8
        self._bases: list[Bits | None] = [None] * bases
        self._is_alive = np.ones(len(packets), dtype=np.bool_)
        self._by_name: dict[str, list[Piece]] = {}

    def mark(self) -> int:
        """Return what :meth:`forget` takes to come back to what is known now."""
        return len(self.pieces)

    def forget(self, mark: int) -> None:
        for piece in self.pieces[mark:]:
            self._by_name[piece.parameter.name].pop()
        del self.pieces[mark:]

    def take(self, steps: tuple[Step, ...], rows: Rows, container: str) -> Rows:
        """Take steps for the packets in *rows*; return those that are not refused."""
        return self._take(steps, rows, (), container)

    def ask(self, question: FromPacket[T], rows: Rows, turns: Turns = ()) -> T:
        """Return what the packets in *rows* decide."""
        sources = question.sources
        return question.compute(
            lambda instance: self._values(instance, sources[instance.parameter], rows, turns)
        )

    def refuse(self, rows: Rows, reason: Callable[[int], str]) -> None:
        self._is_alive[rows] = False
        for row in rows.tolist():
            self.refused.setdefault(row, reason(row))

    def _take(self, steps: tuple[Step, ...], rows: Rows, turns: Turns, container: str) -> Rows:
        for step in steps:
            if isinstance(step, Block):
                rows = self._block(step, rows, turns, container)
            elif isinstance(step, VaryingOctets):
                rows = self._octets(step, rows, turns, container)
            elif isinstance(step, Move):
                rows = self._move(step, rows, turns, container)
            elif isinstance(step, Branch):
                rows = self._branch(step, rows, turns, container)
            else:
                rows = self._loop(step, rows, turns, container)
        return rows

    def _bits(self, position: Position, rows: Rows) -> Bits:
        """Return the bit that a position is at, from each packet's start."""
        if position.base == PACKET_START:
            return np.full(len(rows), position.offset_bits, dtype=np.int64)
        base = self._bases[position.base]
        assert base is not None
        bits: Bits = base[rows] + position.offset_bits
        return bits

    def _set_base(self, base: int, rows: Rows, bits: Bits) -> None:
        known = self._bases[base]
        if known is None:
            known = self._bases[base] = np.zeros(len(self.packets), dtype=np.int64)
        known[rows] = bits

    def _inside(self, bits: Bits, ends: Bits, rows: Rows, container: str, what: str) -> Rows:
        """Refuse the packets in which something lies outside."""
        outside = (bits < 0) | (ends > self._length_bits[rows])
        if not outside.any():
            return rows
        needed = dict(zip(rows[outside].tolist(), ends[outside].tolist(), strict=True))
        self.refuse(rows[outside], lambda row: self._too_short(row, needed[row], container, what))
        return rows[~outside]

    def _too_short(self, row: int, end_bits: int, container: str, what: str) -> str:
        octets = int(self.packets.lengths[row])
        needed = (end_bits + 7) // 8
        if end_bits <= octets * 8:
            return f"{what} of {container} would lie before the packet"
        return f"{octets} octets are too few for {container}, which needs {needed}{what}"

    def _block(self, block: Block, rows: Rows, turns: Turns, container: str) -> Rows:
        bits = self._bits(Position(block.base), rows)
        last = block.fields[-1].leaf
        what = "" if block.base == PACKET_START else f" with {last.parameter(turns).name}"
        rows_left = self._inside(
            bits + block.first_bits, bits + block.end_bits, rows, container, what
        )
        if len(rows_left) < len(rows):
            rows, bits = rows_left, self._bits(Position(block.base), rows_left)
        if not len(rows):
            return rows
        columns = self._read_block(block, rows, bits)
        everybody = None if len(rows) == len(self.packets) else rows
        for field, column in zip(block.fields, columns, strict=True):
            parameter = field.leaf.parameter(turns) if turns else field.parameter
            self._add(Piece(parameter, everybody, column), rows)
        return self._alive(rows)

    def _read_block(self, block: Block, rows: Rows, bits: Bits) -> list[Column]:
        octets = self.packets.octets
        if block.base == PACKET_START:
            starts = self.packets.starts
            places = starts if len(rows) == len(starts) else starts[rows]
            return self._readers.reader(block, 0).read(octets, places)
        return self._read_at(block, self._start_bits[rows] + bits)

    def _read_at(self, block: Block, absolute: Bits) -> list[Column]:
        """Return the columns of blocks that begin at any bits of the octets."""
        octets = self.packets.octets
        first_bits = absolute & 7
        places = absolute >> 3
        first = int(first_bits[0])
        if (first_bits == first).all():
            return self._readers.reader(block, first).read(octets, places)
        columns: list[Column] = []
        for bit in np.unique(first_bits).tolist():
            chosen = first_bits == bit
            read = self._readers.reader(block, bit).read(octets, places[chosen])
            columns = columns or [np.empty(len(absolute), dtype=c.dtype) for c in read]
            for column, part in zip(columns, read, strict=True):
                column[chosen] = part
        return columns

    def _octets(self, step: VaryingOctets, rows: Rows, turns: Turns, container: str) -> Rows:
        parameter = step.leaf.parameter(turns)
        sizes, known = self.ask(step.size_bits, rows, turns)
        good = known & (sizes >= 0) & (sizes % 8 == 0)
        if not good.all():
            told = dict(zip(rows.tolist(), sizes.tolist(), strict=True))
            self.refuse(
                rows[~good],
                lambda row: (
                    f"{parameter.name} of {container} would have {told[row]} bits;"
                    " it needs whole octets"
                ),
            )
            rows, sizes = rows[good], sizes[good]
        bits = self._bits(step.position, rows)
        left = self._inside(bits, bits + sizes, rows, container, f" with {parameter.name}")
        if len(left) < len(rows):
            kept = np.searchsorted(rows, left)
            rows, sizes, bits = left, sizes[kept], bits[kept]
        self._set_base(step.after, rows, bits + sizes)
        lengths = sizes >> 3
        # Widths by powers of two: few layouts, and one long value does not widen all.
        exponents = np.ceil(np.log2(np.maximum(lengths, _LEAST_WIDTH))).astype(np.int64)
        for exponent in np.unique(exponents).tolist():
            chosen = exponents == exponent
            column = varying_octets(
                self.packets.octets,
                self._start_bits[rows[chosen]] + bits[chosen],
                lengths[chosen],
                1 << exponent,
            )
            self._add(Piece(parameter, rows[chosen], column), rows[chosen])
        return self._alive(rows)

    def _move(self, step: Move, rows: Rows, turns: Turns, container: str) -> Rows:
        moved, known = self.ask(step.bits, rows, turns)
        rows = self._known_only(rows, known, f"a place in {container} (line {step.line})")
        bits = self._bits(step.position, rows) + moved[known]
        rows_left = self._inside(bits, bits, rows, container, f" for a place (line {step.line})")
        if len(rows_left) < len(rows):
            bits = bits[np.searchsorted(rows, rows_left)]
        self._set_base(step.after, rows_left, bits)
        return rows_left

    def _known_only(self, rows: Rows, known: Mask, what: str) -> Rows:
        if known.all():
            return rows
        self.refuse(rows[~known], lambda _: f"{what} depends on a value that is not there")
        return rows[known]

    def _branch(self, step: Branch, rows: Rows, turns: Turns, container: str) -> Rows:
        mask = self.ask(step.condition, rows, turns)
        taken = rows[mask]
        self._set_base(step.after, rows, self._bits(step.position, rows))
        if len(taken):
            taken = self._take(step.steps, taken, turns, container)
            self._set_base(step.after, taken, self._bits(step.end, taken))
        return self._alive(rows)

    def _alive(self, rows: Rows) -> Rows:
        alive = self._is_alive[rows]
        return rows if alive.all() else rows[alive]

    def _loop(self, step: Loop, rows: Rows, turns: Turns, container: str) -> Rows:
        counts, known = self._numbers(step.count, rows, turns)
        rows = self._known_only(rows, known, f"how often {step.name} comes in {container}")
        counts = counts[known] + step.extra
        sane = (counts >= 0) & (counts <= MAX_ELEMENTS)
        if not sane.all():
            told = dict(zip(rows.tolist(), counts.tolist(), strict=True))
            self.refuse(
                rows[~sane],
                lambda row: f"{step.name} of {container} would come {told[row]} times",
            )
            rows, counts = rows[sane], counts[sane]
        gaps, known = self._numbers(step.gap_bits, rows, turns)
        rows = self._known_only(rows, known, f"the gap between {step.name} in {container}")
        counts, gaps = counts[known], gaps[known]
        if step.fixed_bits is not None and isinstance(step.gap_bits, int):
            return self._fixed_loop(step, step.fixed_bits, rows, counts, turns, container)
        return self._turn_by_turn(step, rows, counts, gaps, turns, container)

    def _turn_by_turn(
        self, step: Loop, rows: Rows, counts: Bits, gaps: Bits, turns: Turns, container: str
    ) -> Rows:
        bits = self._bits(step.position, rows)
        self._set_base(step.turn, rows, bits)
        self._set_base(step.after, rows, bits)
        for turn in range(int(counts.max(initial=0))):
            still = counts > turn
            current = self._take(step.steps, self._alive(rows[still]), (*turns, turn), container)
            ends = self._bits(step.end, current)
            self._set_base(step.after, current, ends)
            self._set_base(step.turn, current, ends + gaps[np.searchsorted(rows, current)])
        return self._alive(rows)

    def _fixed_loop(
        self, step: Loop, bits_in_turn: int, rows: Rows, counts: Bits, turns: Turns, container: str
    ) -> Rows:
        """Take all turns at once, where each is one block of always the same size."""
        block = step.steps[0]
        assert isinstance(block, Block)
        assert isinstance(step.gap_bits, int)
        stride = bits_in_turn + step.gap_bits
        bits = self._bits(step.position, rows)
        ends = bits + np.maximum(counts * stride - step.gap_bits, 0)
        left = self._inside(bits, ends, rows, container, f" with {step.name}")
        if len(left) < len(rows):
            kept = np.searchsorted(rows, left)
            rows, counts, bits, ends = left, counts[kept], bits[kept], ends[kept]
        self._set_base(step.after, rows, ends)
        total = int(counts.sum())
        if not total:
            return rows
        # (packet, turn) pairs, packet by packet, then put in the order of the turns.
        turn = np.arange(total) - np.repeat(np.cumsum(counts) - counts, counts)
        order = np.argsort(turn, kind="stable")
        pairs = np.repeat(rows, counts)[order]
        places = (np.repeat(bits, counts) + turn * stride)[order]
        columns = self._read_at(block, self._start_bits[pairs] + places)
        edges = np.searchsorted(turn[order], np.arange(int(counts.max()) + 1))
        for number in range(len(edges) - 1):
            part = slice(int(edges[number]), int(edges[number + 1]))
            for field, column in zip(block.fields, columns, strict=True):
                parameter = field.leaf.parameter((*turns, number))
                self._add(Piece(parameter, pairs[part], column[part]), pairs[part])
        return self._alive(rows)

    def _numbers(self, number: PacketNumber | int, rows: Rows, turns: Turns) -> tuple[Bits, Mask]:
        if isinstance(number, int):
            return np.full(len(rows), number, dtype=np.int64), np.ones(len(rows), dtype=bool)
        return self.ask(number, rows, turns)

    def _add(self, piece: Piece, rows: Rows) -> None:
        """Note values of *rows*; a packet that has some of that name already is refused."""
        name = piece.parameter.name
        known = self._by_name.setdefault(name, [])
        for other in known:
            has = other.of(rows)[1]
            twice = rows if has is None else rows[has]
            self.refuse(twice, lambda _: f"{name} stands twice in the packet")
        known.append(piece)
        self.pieces.append(piece)

    def _values(
        self, instance: ParameterInstance, leaves: tuple[Leaf, ...], rows: Rows, turns: Turns
    ) -> tuple[Column, Mask]:
        """Return the newest values of a parameter in *rows*, and which rows have one."""
        found: Column | None = None
        known = np.zeros(len(rows), dtype=np.bool_)
        for leaf in leaves:
            for piece in self._by_name.get(leaf.parameter(turns).name, ()):
                values, has = piece.of(rows)
                if instance.use_calibrated_value:
                    values = engineering(piece.parameter, values)
                if has is None and found is None:
                    return values, np.ones(len(rows), dtype=np.bool_)
                found = values if found is None else np.where(known, found, values)
                known |= True if has is None else has
        if found is None:
            found = np.zeros(len(rows), dtype=np.int64)
        return found, known
