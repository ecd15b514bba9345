"""Where the fields of one packet lie, for those who look at its octets."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from telemetry.ccsds.packet_batch import PacketBatch
from telemetry.dictionary.layout import PlacedField
from telemetry.dictionary.plan import Block, Loop, Position, VaryingOctets
from telemetry.dictionary.walk import Bits, BlockReaders, Rows, Turns, Walk


@dataclass(frozen=True, slots=True, kw_only=True)
class PacketLayout:
    """The fields of one packet in the order they are decoded.

    Attributes:
        container: What the packet is; empty where it fits none.
        fields: Those that were found, also of a packet that fits none.
        refused: Why it fits none.
    """

    container: str
    fields: tuple[PlacedField, ...]
    refused: str = ""


class PlacingWalk(Walk):
    """A walk through one packet that notes where each field lies.

    It is the decoder's own walk, so that what is marked is what is decoded.
    """

    def __init__(self, packet: PacketBatch, readers: BlockReaders, bases: int) -> None:
        super().__init__(packet, readers, bases)
        self.fields: list[PlacedField] = []

    def _block(self, block: Block, rows: Rows, turns: Turns, container: str) -> Rows:
        left = super()._block(block, rows, turns, container)
        for begin in self._bits(Position(block.base), left).tolist():
            self.fields += (
                PlacedField(
                    field.leaf.parameter(turns),
                    begin + field.position.offset_bits,
                    field.size_bits,
                )
                for field in block.fields
            )
        return left

    def _octets(self, step: VaryingOctets, rows: Rows, turns: Turns, container: str) -> Rows:
        left = super()._octets(step, rows, turns, container)
        begins = self._bits(step.position, left).tolist()
        ends = self._bits(Position(step.after), left).tolist()
        for begin, end in zip(begins, ends, strict=True):
            self.fields.append(PlacedField(step.leaf.parameter(turns), begin, end - begin))
        return left

    def _fixed_loop(
        self, step: Loop, bits_in_turn: int, rows: Rows, counts: Bits, turns: Turns, container: str
    ) -> Rows:
        # Turn by turn, where the decoder takes all at once: the blocks' places come by then.
        assert isinstance(step.gap_bits, int)
        gaps = np.full(len(rows), step.gap_bits, dtype=np.int64)
        return self._turn_by_turn(step, rows, counts, gaps, turns, container)
