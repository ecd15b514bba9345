from __future__ import annotations

from missioncontrol.reservations.models import Reservation
from missioncontrol.scheduling.models import Contact


def reservation_of(contact: Contact) -> Reservation | None:
    """Return what is reserved for a contact with its station's provider, if anything is."""
    return Reservation.objects.filter(contact=contact).first()
