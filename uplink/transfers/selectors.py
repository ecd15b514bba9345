from __future__ import annotations

from datetime import datetime

from missioncontrol.fleet.models import Spacecraft
from uplink.transfers import storage
from uplink.transfers.models import Transfer

OPEN_STATES = (Transfer.State.WAITING, Transfer.State.ACTIVE, Transfer.State.SUSPENDED)


def open_transfers(spacecraft: Spacecraft | None = None) -> list[Transfer]:
    """Return the transfers under way, oldest first."""
    transfers = Transfer.objects.filter(state__in=OPEN_STATES).select_related("spacecraft")
    if spacecraft is not None:
        transfers = transfers.filter(spacecraft=spacecraft)
    return list(transfers.order_by("pk"))


def recent_transfers(*, limit: int = 50) -> list[Transfer]:
    """Return the newest transfers."""
    return list(Transfer.objects.select_related("spacecraft")[:limit])


def arrived_file(spacecraft: Spacecraft, file_name: str, *, since: datetime) -> Transfer | None:
    """Return the newest file that came down whole under *file_name*, begun at *since* or later."""
    return Transfer.objects.filter(
        spacecraft=spacecraft,
        direction=Transfer.Direction.DOWN,
        file_name=file_name,
        state=Transfer.State.COMPLETED,
        created_at__gte=since,
    ).first()


def file_coming_down(spacecraft: Spacecraft, file_name: str) -> Transfer | None:
    """Return the transfer that brings *file_name* down now."""
    return Transfer.objects.filter(
        spacecraft=spacecraft,
        direction=Transfer.Direction.DOWN,
        file_name=file_name,
        state__in=OPEN_STATES,
    ).first()


def content_of(transfer: Transfer) -> bytes:
    """Return the octets of a transfer's file."""
    return storage.read(transfer.stored_name)
