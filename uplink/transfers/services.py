from __future__ import annotations

import hashlib
from datetime import datetime
from typing import Final

from django.db import transaction
from django.db.models import Max

from missioncontrol.accounts.models import Operator, Organisation
from missioncontrol.accounts.policy import Action, require
from missioncontrol.audit.services import Actor, append_entry
from missioncontrol.fleet.models import Spacecraft
from missioncontrol.kernel.errors import RefusedError
from missioncontrol.kernel.live import publish_after_commit
from missioncontrol.kernel.organisations import acting_for_everybody
from uplink.transfers import storage
from uplink.transfers.models import Transfer
from uplink.transfers.profile import ground_profile
from uplink.transfers.selectors import OPEN_STATES

MAX_FILE_OCTETS: Final = 64 << 20
_NAME_OCTETS: Final = 255


class TransferRefusedError(RefusedError):
    """The file cannot be transferred like this."""


@transaction.atomic
def start_uplink(
    *,
    spacecraft: Spacecraft,
    file_name: str,
    content: bytes,
    actor: Actor | str,
    at: datetime,
    organisation: Organisation | None = None,
) -> Transfer:
    """Queue a file for the spacecraft; it goes up at the next contact.

    The octets are on the disk and the sequence number is taken for ever when
    this commits.

    Args:
        spacecraft: Where to.
        file_name: What it is called on board, 1 to 255 octets of UTF-8.
        content: The file.
        actor: Who sends it.
        at: Moment, UTC.
        organisation: Whose file it is, if not of who operates the spacecraft.

    Raises:
        TransferRefusedError: a name or a size outside the limits.
    """
    if not 1 <= len(file_name.encode()) <= _NAME_OCTETS or "\0" in file_name:
        raise TransferRefusedError(
            f"The file name {file_name[:40]!r} has {len(file_name.encode())} octets; "
            f"1 to {_NAME_OCTETS} are allowed, and no NUL among them."
        )
    if len(content) > MAX_FILE_OCTETS:
        raise TransferRefusedError(
            f"{file_name} has {len(content)} octets; the limit is {MAX_FILE_OCTETS}. "
            "Send it in parts."
        )
    profile = ground_profile(spacecraft)
    # The lock makes two at once take different numbers.
    Spacecraft.objects.select_for_update().get(pk=spacecraft.pk)
    number = _next_sequence_number(spacecraft, profile.local_entity_id)
    stored_name = f"up/{spacecraft.pk}-{number}"
    storage.store(stored_name, content)
    transfer = Transfer.objects.create(
        spacecraft=spacecraft,
        organisation=organisation,
        direction=Transfer.Direction.UP,
        source_entity=profile.local_entity_id,
        sequence_number=number,
        file_name=file_name,
        size_octets=len(content),
        sha256=hashlib.sha256(content).hexdigest(),
        stored_name=stored_name,
        created_at=at,
    )
    log("transfer.start", transfer, actor=actor, at=at)
    return transfer


def _next_sequence_number(spacecraft: Spacecraft, entity: int) -> int:
    """Return a number that no file of any member has had."""
    with acting_for_everybody():
        taken = Transfer.objects.filter(spacecraft=spacecraft, source_entity=entity)
        last: int | None = taken.aggregate(last=Max("sequence_number"))["last"]
    return (last or 0) + 1


@transaction.atomic
def cancel_transfer(*, transfer_id: int, actor: Operator, at: datetime) -> Transfer:
    """Give up a file that has not gone out yet.

    Raises:
        Transfer.DoesNotExist: no such transfer.
        NotPermittedError: *actor* has no role that may.
        TransferRefusedError: it is on its way or over.
    """
    transfer = (
        Transfer.objects.select_for_update(of=("self",))
        .select_related("spacecraft", "spacecraft__organisation")
        .get(pk=transfer_id)
    )
    require(actor, Action.TRANSFER_CANCEL, transfer.spacecraft.organisation)
    if transfer.state != Transfer.State.WAITING:
        raise TransferRefusedError(
            f"{transfer} is {transfer.state}; only one that is WAITING can be cancelled."
        )
    end(transfer, Transfer.State.CANCELLED, condition=f"by {actor}", actor=actor, at=at)
    return transfer


def hand_to(transfer: Transfer, organisation: Organisation) -> None:
    """Make a file that came down the business of the member whom it is for."""
    if transfer.organisation_id != organisation.pk:
        transfer.organisation = organisation
        transfer.save(update_fields=["organisation"])


def end(
    transfer: Transfer, state: Transfer.State, *, condition: str, actor: Actor | str, at: datetime
) -> None:
    """Close a transfer with its reason; one that is closed stays as it is."""
    if transfer.state not in OPEN_STATES:
        return
    transfer.state = state
    transfer.condition = condition[:200]
    transfer.completed_at = at
    if state == Transfer.State.COMPLETED and transfer.size_octets is not None:
        transfer.progress_octets = transfer.size_octets
    transfer.save(update_fields=["state", "condition", "completed_at", "progress_octets"])
    log(f"transfer.{state.value.lower()}", transfer, actor=actor, at=at)


def log(action: str, transfer: Transfer, *, actor: Actor | str, at: datetime) -> None:
    """Write the audit entry of a change to a transfer and tell the consoles."""
    operating = transfer.spacecraft.organisation
    append_entry(
        action=action,
        subject=f"transfer:{transfer.pk}",
        actor=actor,
        at=at,
        organisation=(transfer.organisation or operating).slug,
        details={
            "spacecraft": transfer.spacecraft.name,
            "direction": transfer.direction,
            "condition": transfer.condition,
        },
        # It may be a member's file, of which the others learn nothing.
        private={
            "file": transfer.file_name,
            "octets": transfer.size_octets,
            "sha256": transfer.sha256,
        },
        readers=[operating.slug],
    )
    publish_after_commit({"type": "refresh", "part": "transfers"})
