"""The rows of one spacecraft's transfers: what survives of the CFDP entity."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable
from datetime import datetime
from functools import partial
from typing import Final

from django.db import transaction

from missioncontrol.fleet.models import Spacecraft
from uplink.cfdp.codes import ConditionCode, DeliveryCode, TransactionId
from uplink.cfdp.destination import DestinationTransaction
from uplink.cfdp.effects import (
    Effect,
    FileComplete,
    FileDiscarded,
    MetadataReceived,
    TransactionAbandoned,
    TransactionFinished,
    TransactionForgotten,
    TransactionSuspended,
)
from uplink.cfdp.entity import CfdpEntity
from uplink.cfdp.errors import SnapshotError
from uplink.cfdp.profile import CfdpProfile
from uplink.cfdp.source import SourceTransaction
from uplink.transfers import services, storage
from uplink.transfers.models import DownlinkCursor, Transfer

_ACTOR: Final = "process:transfers"
_STATE = Transfer.State

logger = logging.getLogger(__name__)


class TransferRows:
    """Loads and stores the transactions of one spacecraft with its place in the packet log.

    Attributes:
        position: How far the packet log was read; stored with the next commit.
    """

    def __init__(self, spacecraft: Spacecraft) -> None:
        self._spacecraft = spacecraft
        cursor, _ = DownlinkCursor.objects.get_or_create(spacecraft=spacecraft)
        self.position = cursor.position
        self._rows: dict[TransactionId, Transfer] = {}
        self._stored: dict[TransactionId, str] = {}  # snapshots as they are in the rows
        self._used: set[TransactionId] = set()  # numbers of receptions that ended long ago

    def restore(self, profile: CfdpProfile, at: datetime, *, suspended: bool) -> CfdpEntity:
        """Return the entity as the rows know it."""
        rows = Transfer.objects.filter(spacecraft=self._spacecraft).exclude(entity_state={})
        self._rows = {
            _id_of(row): row
            for row in rows.select_related("spacecraft").order_by("pk")
            if _can_go_on(row, profile, at)
        }
        return CfdpEntity.restore(
            [row.entity_state for row in self._rows.values()],
            profile=profile,
            at=at,
            suspended=suspended,
        )

    def take_waiting(self) -> list[tuple[TransactionId, Transfer]]:
        """Make the files that wait for the link ACTIVE and return them, oldest first.

        Call it in the transaction that commits their first snapshots.
        """
        # ACTIVE without a state: begun by a process that was killed before its commit.
        waiting = Transfer.objects.filter(
            spacecraft=self._spacecraft,
            direction=Transfer.Direction.UP,
            state__in=[_STATE.WAITING, _STATE.ACTIVE, _STATE.SUSPENDED],
            entity_state={},
        )
        taken = []
        for row in waiting.select_related("spacecraft").order_by("pk"):
            mine = Transfer.objects.filter(pk=row.pk, state=row.state)
            if mine.update(state=_STATE.ACTIVE) != 1:
                continue  # cancelled in this moment
            row.state = _STATE.ACTIVE
            self._rows[_id_of(row)] = row
            taken.append((_id_of(row), row))
        return taken

    def stored_name(self, transaction_id: TransactionId) -> str:
        """Return where the octets of a file to send lie."""
        return self._rows[transaction_id].stored_name

    def down_name(self, transaction_id: TransactionId) -> str:
        """Return where the octets of a file that comes down go: never what the sky calls it."""
        entity, number = transaction_id.source_entity_id, transaction_id.sequence_number
        return f"down/{self._spacecraft.pk}-{entity}-{number}"

    def is_of_the_past(self, transaction_id: TransactionId) -> bool:
        """Return whether a number belongs to a file that came long ago.

        Its octets were delivered, and nothing may be written over them.
        """
        if transaction_id in self._rows:
            return False
        if transaction_id not in self._used:
            ended = Transfer.objects.filter(
                spacecraft=self._spacecraft,
                source_entity=transaction_id.source_entity_id,
                sequence_number=transaction_id.sequence_number,
            ).first()
            if ended is None:
                return False
            logger.warning(
                "%s sends under the number of %s, which ended long ago: not taken",
                self._spacecraft,
                ended,
            )
            self._used.add(transaction_id)
        return True

    def commit(self, entity: CfdpEntity, outcomes: Iterable[Effect], at: datetime) -> None:
        """Store snapshots, outcomes and the reading place, all or nothing."""
        told = list(outcomes)
        digests = {
            outcome.transaction_id: storage.sha256_of(self.down_name(outcome.transaction_id))
            for outcome in told
            if isinstance(outcome, FileComplete)
        }
        with transaction.atomic():
            for one in entity.transactions:
                self._store(one, at)
            for outcome in told:
                row = self._rows.get(outcome.transaction_id) if outcome.transaction_id else None
                if row is not None:
                    self._record(row, outcome, at, digests)
            DownlinkCursor.objects.filter(spacecraft=self._spacecraft).update(
                position=self.position
            )

    def set_state(self, was: Transfer.State, now: Transfer.State) -> None:
        """Move all rows from one state to another."""
        Transfer.objects.filter(spacecraft=self._spacecraft, state=was).update(state=now)
        for row in self._rows.values():
            if row.state == was:
                row.state = now

    def _store(self, one: SourceTransaction | DestinationTransaction, at: datetime) -> None:
        snapshot = one.snapshot(at)
        text = json.dumps(snapshot, sort_keys=True)
        if self._stored.get(one.transaction_id) == text:
            return
        row = self._rows.get(one.transaction_id) or self._new_row(one, at)
        row.entity_state = snapshot
        if row.state in {_STATE.ACTIVE, _STATE.SUSPENDED}:
            row.progress_octets = one.progress_octets
        row.save(update_fields=["entity_state", "progress_octets"])
        self._stored[one.transaction_id] = text

    def _new_row(self, one: SourceTransaction | DestinationTransaction, at: datetime) -> Transfer:
        row = Transfer.objects.create(
            spacecraft=self._spacecraft,
            direction=Transfer.Direction.DOWN,
            source_entity=one.transaction_id.source_entity_id,
            sequence_number=one.transaction_id.sequence_number,
            state=_STATE.ACTIVE,
            stored_name=self.down_name(one.transaction_id),
            created_at=at,
        )
        self._rows[one.transaction_id] = row
        return row

    def _record(
        self, row: Transfer, effect: Effect, at: datetime, digests: dict[TransactionId, str]
    ) -> None:
        match effect:
            case MetadataReceived():
                row.file_name = effect.metadata.destination_file_name
                row.size_octets = effect.metadata.size_octets
                row.save(update_fields=["file_name", "size_octets"])
            case FileComplete():
                row.sha256 = digests[effect.transaction_id]
                row.size_octets = effect.size_octets
                row.save(update_fields=["sha256", "size_octets"])
                services.end(row, _STATE.COMPLETED, condition="", actor=_ACTOR, at=at)
            case FileDiscarded():
                transaction.on_commit(partial(storage.remove, row.stored_name))
                _fail(row, effect.condition, at)
            case TransactionAbandoned():
                _fail(row, effect.condition, at)
            case TransactionFinished():
                _finish(row, effect, at)
            case TransactionSuspended() if row.state == _STATE.ACTIVE:
                row.state = _STATE.SUSPENDED
                row.save(update_fields=["state"])
            case TransactionForgotten():
                self._forget(row, effect.transaction_id)

    def _forget(self, row: Transfer, transaction_id: TransactionId) -> None:
        row.entity_state = {}
        row.save(update_fields=["entity_state"])
        del self._rows[transaction_id]
        self._stored.pop(transaction_id, None)


def _can_go_on(row: Transfer, profile: CfdpProfile, at: datetime) -> bool:
    """Return whether a row's snapshot can be read; one that cannot ends its transfer."""
    try:
        CfdpEntity.restore([row.entity_state], profile=profile, at=at)
    except (SnapshotError, LookupError, TypeError, ValueError) as error:
        logger.exception("%s cannot go on", row)
        with transaction.atomic():
            row.entity_state = {}
            row.save(update_fields=["entity_state"])
            condition = f"its snapshot cannot be read: {error}"
            services.end(row, _STATE.FAILED, condition=condition, actor=_ACTOR, at=at)
        return False
    return True


def _finish(row: Transfer, effect: TransactionFinished, at: datetime) -> None:
    whole = effect.delivery_code is DeliveryCode.COMPLETE
    if whole and effect.condition is ConditionCode.NO_ERROR:
        services.end(row, _STATE.COMPLETED, condition="", actor=_ACTOR, at=at)
    else:
        _fail(row, effect.condition, at)


def _fail(row: Transfer, condition: ConditionCode, at: datetime) -> None:
    words = condition.name.lower().replace("_", " ")
    services.end(row, _STATE.FAILED, condition=words, actor=_ACTOR, at=at)


def _id_of(row: Transfer) -> TransactionId:
    return TransactionId(row.source_entity, row.sequence_number)
