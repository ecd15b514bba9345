"""A dictionary compiled once, packets decoded in batches, one column a parameter.

Packets are sorted into containers by comparing whole columns, and every field is read
from all packets of a container at once. No Python object is made for a value, whether a
container's layout is fixed or a packet decides it.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from telemetry.ccsds.packet_batch import PacketBatch
from telemetry.dictionary.batches import DecodedBatch, DecodeResult, Undecoded
from telemetry.dictionary.columns import SPARE_OCTETS, Column
from telemetry.dictionary.derivation import Derivation
from telemetry.dictionary.histories import Memory
from telemetry.dictionary.model import Dictionary
from telemetry.dictionary.placing import PacketLayout, PlacingWalk
from telemetry.dictionary.plan import Plan, repeated, varies
from telemetry.dictionary.planning import make_plan
from telemetry.dictionary.walk import BlockReaders, Piece, Rows, Walk

# Room to read the longest varying field from the last octet of a batch.
_SPARE_FOR_VARYING: Final = 131_072 + SPARE_OCTETS


def compile_dictionary(
    dictionary: Dictionary, *, root: str | None = None, follow: Collection[str] = ()
) -> Decoder:
    """Return a decoder for the packets that a dictionary describes.

    Args:
        dictionary: As read by ``parse_xtce``.
        root: Name of the root container; see ``make_plan``.
        follow: Parameters whose newest values a memory keeps for others, e.g. for the
            contexts of limits.

    Raises:
        DictionaryError: The dictionary contradicts itself.
    """
    plan = make_plan(dictionary, root=root)
    return Decoder(plan, Derivation(dictionary, follow=follow, repeated=repeated(plan)))


class Decoder:
    """Decodes batches of packets.

    Holds no state between calls: what must be known of earlier packets (for contexts and
    algorithms that look at parameters of other packets) is in a ``Memory`` that the
    caller may pass and keep.
    """

    def __init__(self, plan: Plan, derivation: Derivation) -> None:
        self._plan = plan
        self._derivation = derivation
        self._readers = BlockReaders()
        self._bases = _bases(plan)
        self._spare_octets = _SPARE_FOR_VARYING if varies(plan) else SPARE_OCTETS
        self.containers: tuple[str, ...] = tuple(_names(plan))

    def decode(
        self, packets: Sequence[bytes] | PacketBatch, memory: Memory | None = None
    ) -> DecodeResult:
        """Decode packets, each into the most derived container that it fits.

        Octets after the last field of a container are not looked at.

        Args:
            packets: Whole packets, primary header included, in any mixture.
            memory: Newest values of parameters that others depend on, of the packets
                before these; it is brought up to date. Without it only these packets
                are known.

        Returns:
            A batch for each container that occurs and each set of parameters that have
            values in it, and the packets that fit none with the reason. Never raises on
            what the packets hold.
        """
        if isinstance(packets, PacketBatch):
            batch = packets.with_spare(self._spare_octets)
        else:
            batch = PacketBatch.of(packets, spare_octets=self._spare_octets)
        walk = Walk(batch, self._readers, self._bases)
        batches: list[DecodedBatch] = []
        _sort_into(self._plan, np.arange(len(batch)), walk, batches)
        batches = self._derivation.complete(batches, memory if memory is not None else Memory())
        undecoded = [Undecoded(row, walk.refused[row]) for row in sorted(walk.refused)]
        return DecodeResult(batches=batches, undecoded=undecoded)

    def locate(self, packet: bytes) -> PacketLayout:
        """Return where the fields of one packet lie, as :meth:`decode` reads them.

        Never raises on what the packet holds: a packet that fits no container has the
        fields that were found until then, and the reason.
        """
        batch = PacketBatch.of([packet], spare_octets=self._spare_octets)
        walk = PlacingWalk(batch, self._readers, self._bases)
        batches: list[DecodedBatch] = []
        _sort_into(self._plan, np.arange(1), walk, batches)
        return PacketLayout(
            container=batches[0].container if batches else "",
            fields=tuple(walk.fields),
            refused=walk.refused.get(0, ""),
        )


def _sort_into(plan: Plan, rows: Rows, walk: Walk, batches: list[DecodedBatch]) -> None:
    """Take apart the packets in *rows*, which are instances of *plan*'s container."""
    name = plan.container.name
    before = walk.mark()
    rows = walk.take(plan.steps, rows, name)
    if len(rows):
        _sort_on(plan, rows, walk, batches)
    walk.forget(before)  # a sibling must not look at what this one found


def _sort_on(plan: Plan, rows: Rows, walk: Walk, batches: list[DecodedBatch]) -> None:
    """Give packets that are taken apart so far to what derives from their container."""
    name = plan.container.name
    matches = [
        np.ones(len(rows), dtype=np.bool_)
        if child.restriction is None
        else walk.ask(child.restriction, rows)
        for child in plan.derived
    ]
    counts = np.sum(matches, axis=0) if matches else np.zeros(len(rows), dtype=np.intp)
    walk.refuse(rows[counts > 1], lambda _: f"more than one container derived from {name} fits")
    for child, match in zip(plan.derived, matches, strict=True):
        chosen = match & (counts == 1)
        if chosen.any():
            _sort_into(child, rows[chosen], walk, batches)
    rest = rows[counts == 0] if plan.derived else rows
    if plan.container.abstract:
        walk.refuse(rest, lambda _: f"no container derived from {name} fits")
    elif len(rest):
        batches += _collect(name, rest, walk)


def _collect(container: str, rows: Rows, walk: Walk) -> list[DecodedBatch]:
    """Return the packets of one container, those with the same parameters together."""
    everywhere: dict[str, Column] = {}
    somewhere: list[tuple[Piece, Column, npt.NDArray[np.bool_]]] = []
    for piece in walk.pieces:
        values, has = piece.of(rows)
        if has is None:
            everywhere[piece.parameter.name] = values
        elif has.any():
            somewhere.append((piece, values, has))
    if not somewhere:
        return [DecodedBatch(container, rows, everywhere)]
    kinds, which = _kinds(np.stack([has for _, _, has in somewhere], axis=1))
    batches = []
    for kind, presence in enumerate(kinds):
        chosen = which == kind
        columns = {name: column[chosen] for name, column in everywhere.items()}
        for (piece, values, _), is_present in zip(somewhere, presence.tolist(), strict=True):
            if is_present:
                columns[piece.parameter.name] = values[chosen]
        batches.append(DecodedBatch(container, rows[chosen], columns))
    return batches


def _kinds(
    presence: npt.NDArray[np.bool_],
) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.intp]]:
    """Return the different rows of a matrix, in the order they come, and which each is."""
    packed = np.packbits(presence, axis=1)
    keys = np.ascontiguousarray(packed).view(f"V{packed.shape[1]}").reshape(-1)
    _, first, which = np.unique(keys, return_index=True, return_inverse=True)
    order = np.argsort(first)
    rank = np.empty_like(order)
    rank[order] = np.arange(len(order))
    return presence[first[order]], rank[which]


def _names(plan: Plan) -> list[str]:
    """Return the names of the containers that packets can end in."""
    own = [] if plan.container.abstract else [plan.container.name]
    return own + [name for child in plan.derived for name in _names(child)]


def _bases(plan: Plan) -> int:
    return max([plan.bases, *(_bases(child) for child in plan.derived)])
