"""Which executor works on a contact: compare-and-set, a lease, a growing epoch.

Lease times come from the database's clock, so that the clocks of two machines
need not agree; the epoch travels with every uplink, so that a station refuses
an executor that lost its lease without noticing.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from django.db.models import F, Q
from django.db.models.functions import Now

from missioncontrol.scheduling.models import TRANSITIONS, Contact

_OPEN = [state for state, following in TRANSITIONS.items() if following]


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """The right to work on one contact until it is renewed or runs out."""

    contact_id: int
    holder: str
    epoch: int


def claim_contact(*, contact_id: int, holder: str, lease_s: float) -> Lease | None:
    """Take a contact that nobody holds; None when somebody else was first.

    Args:
        contact_id: Primary key.
        holder: Name of the executor, unique to the process.
        lease_s: Seconds on the database's clock (real time, not mission time).
    """
    free = Q(lease_expires_at=None) | Q(lease_expires_at__lt=Now())
    claimed = Contact.objects.filter(free, pk=contact_id, state__in=_OPEN).update(
        lease_holder=holder,
        lease_epoch=F("lease_epoch") + 1,
        lease_expires_at=Now() + timedelta(seconds=lease_s),
    )
    if claimed != 1:
        return None
    # Only the holder of the lease changes the epoch, so this read is ours.
    epoch = Contact.objects.values_list("lease_epoch", flat=True).get(pk=contact_id)
    return Lease(contact_id=contact_id, holder=holder, epoch=epoch)


def renew_lease(lease: Lease, *, lease_s: float) -> bool:
    """Keep a contact; False when it was lost: stop at once and touch nothing more."""
    return (
        Contact.objects.filter(
            pk=lease.contact_id,
            lease_holder=lease.holder,
            lease_epoch=lease.epoch,
            lease_expires_at__gt=Now(),
        ).update(lease_expires_at=Now() + timedelta(seconds=lease_s))
        == 1
    )


def release_lease(lease: Lease) -> None:
    """Give a contact back, so that another executor need not wait for the lease to end."""
    Contact.objects.filter(
        pk=lease.contact_id, lease_holder=lease.holder, lease_epoch=lease.epoch
    ).update(lease_expires_at=None)
