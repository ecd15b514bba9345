"""From an octet stream to transfer frames: synchronise, derandomise, correct.

Pure and sans-IO. Source: CCSDS 131.0-B-5 sections 4 (Reed-Solomon), 9 (sync marker),
10 (randomiser); a mission uses any of the last two, or none.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt

from telemetry.ccsds.cadu import BlocksFound, CaduSynchroniser, Event, OctetsSkipped
from telemetry.ccsds.randomiser import RandomiserSequence, derandomise_blocks
from telemetry.ccsds.reed_solomon import ReedSolomonCode, decode_codeblocks

Symbols = npt.NDArray[np.uint8]

UNCORRECTABLE_REASON: Final = "the Reed-Solomon codeblock has more errors than can be corrected"


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelCoding:
    """What a mission fixes of the coding of a physical channel.

    Attributes:
        frame_octets: Of a transfer frame; what the Reed-Solomon code holds, where there
            is one.
        reed_solomon: ``None``: the frames are not coded.
        randomiser: ``None``: they are not randomised.
    """

    frame_octets: int
    reed_solomon: ReedSolomonCode | None = None
    randomiser: RandomiserSequence | None = None

    def __post_init__(self) -> None:
        code = self.reed_solomon
        if code is not None and code.frame_octets != self.frame_octets:
            raise ValueError(
                f"frames of {self.frame_octets} octets; the Reed-Solomon code (interleave"
                f" {code.interleave}, virtual fill {code.virtual_fill}) holds {code.frame_octets}"
            )

    @property
    def block_octets(self) -> int:
        """Octets between two sync markers."""
        code = self.reed_solomon
        return self.frame_octets if code is None else code.codeblock_octets


@dataclass(slots=True)
class ChannelFrames:
    """What a piece of the stream came to.

    Attributes:
        frames: Good frames in order, shape (n, ``frame_octets``).
        corrected: Symbols that the Reed-Solomon code corrected in each.
        places: Which of all blocks found so far each was, from 0.
        bad_blocks: Codeblocks with more errors than the code corrects, derandomised.
        bad_places: Which of all blocks each of those was.
        octets_skipped: Octets that belonged to no block.
    """

    frames: Symbols
    corrected: npt.NDArray[np.int16]
    places: npt.NDArray[np.int64]
    bad_blocks: list[bytes] = field(default_factory=list)
    bad_places: list[int] = field(default_factory=list)
    octets_skipped: int = 0


class ChannelDecoder:
    """Turns one stream of octets into frames; feed it pieces of any length."""

    def __init__(
        self, coding: ChannelCoding, synchroniser: CaduSynchroniser | None = None
    ) -> None:
        """Prepare to decode.

        Args:
            coding: Of the channel.
            synchroniser: With tolerances of its own; for blocks of that length.
        """
        self._coding = coding
        self._synchroniser = synchroniser or CaduSynchroniser(block_octets=coding.block_octets)
        self._blocks = 0

    def receive(self, octets: bytes) -> ChannelFrames:
        """Take the next octets of the stream."""
        return self._decode(self._synchroniser.receive(octets))

    def finish(self) -> ChannelFrames:
        """Return what is left at the end of a file."""
        return self._decode(self._synchroniser.finish())

    def _decode(self, events: list[Event]) -> ChannelFrames:
        found = [event.octets for event in events if isinstance(event, BlocksFound)]
        skipped = sum(event.count for event in events if isinstance(event, OctetsSkipped))
        width = self._coding.block_octets
        blocks = np.concatenate([np.zeros((0, width), dtype=np.uint8), *found])
        places = np.arange(self._blocks, self._blocks + len(blocks))
        self._blocks += len(blocks)
        if self._coding.randomiser is not None:
            blocks = derandomise_blocks(blocks, self._coding.randomiser)
        if self._coding.reed_solomon is None:
            none = np.zeros(len(blocks), dtype=np.int16)
            return ChannelFrames(blocks, none, places, octets_skipped=skipped)
        decoded = decode_codeblocks(blocks, self._coding.reed_solomon)
        good = decoded.is_good
        return ChannelFrames(
            frames=decoded.frames[good],
            corrected=decoded.corrected[good],
            places=places[good],
            bad_blocks=[block.tobytes() for block in blocks[~good]],
            bad_places=places[~good].tolist(),
            octets_skipped=skipped,
        )
