"""What can be read of the consortium log."""

from __future__ import annotations

from missioncontrol.audit.selectors.log import (
    NotPublishedError,
    announced_key,
    assigned_size,
    cosigned_note,
    is_published,
    is_settled,
    latest_checkpoint,
    log_folder,
    origin,
    public_checkpoint,
    published_checkpoint,
    published_quorum,
    published_size,
    settled_quorum,
    settled_size,
    verification_key,
)
from missioncontrol.audit.selectors.log_entries import (
    MAX_PAGE,
    EntryPage,
    entries,
    entry_by_leaf_hash,
    entry_content,
    get_entry,
    waiting_count,
)
from missioncontrol.audit.selectors.openings import (
    NoOpeningError,
    NotEntitledError,
    OpeningErasedError,
    opening,
)
from missioncontrol.audit.selectors.proofs import (
    InclusionProof,
    SizesRefusedError,
    consistency_proof,
    inclusion_proof,
    receipt,
)
from missioncontrol.audit.selectors.witnesses import WitnessBoard, WitnessState, witness_board

__all__ = [
    "MAX_PAGE",
    "EntryPage",
    "InclusionProof",
    "NoOpeningError",
    "NotEntitledError",
    "NotPublishedError",
    "OpeningErasedError",
    "SizesRefusedError",
    "WitnessBoard",
    "WitnessState",
    "announced_key",
    "assigned_size",
    "consistency_proof",
    "cosigned_note",
    "entries",
    "entry_by_leaf_hash",
    "entry_content",
    "get_entry",
    "inclusion_proof",
    "is_published",
    "is_settled",
    "latest_checkpoint",
    "log_folder",
    "opening",
    "origin",
    "public_checkpoint",
    "published_checkpoint",
    "published_quorum",
    "published_size",
    "receipt",
    "settled_quorum",
    "settled_size",
    "verification_key",
    "waiting_count",
    "witness_board",
]
