from __future__ import annotations

from datetime import datetime
from typing import Final

from django.db.models import QuerySet

from missioncontrol.operations.models import Operation

OPEN_STATES: Final = (Operation.State.WAITING, Operation.State.RUNNING)


def operations() -> QuerySet[Operation]:
    """Return all operations, with who asked."""
    return Operation.objects.select_related("organisation", "asked_by")


def get_operation(operation_id: int) -> Operation:
    """Return one operation.

    Raises:
        Operation.DoesNotExist: no such operation.
    """
    return operations().get(pk=operation_id)


def left_waiting(*, before: datetime) -> list[Operation]:
    """Return what no worker has begun although it was asked for before that time."""
    return list(Operation.objects.filter(state=Operation.State.WAITING, asked_at__lt=before))


def left_running(*, before: datetime) -> list[Operation]:
    """Return what a worker began before that time and has not ended."""
    return list(Operation.objects.filter(state=Operation.State.RUNNING, started_at__lt=before))
