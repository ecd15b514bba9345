"""Takes what the receivers put on the spool, for one spacecraft, and has it archived."""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
from django.conf import settings
from django.db import connection

from missioncontrol.fleet.models import Spacecraft
from missioncontrol.fleet.profiles import Input, parse_link_profile
from missioncontrol.kernel.organisations import acting_for_everybody
from telemetry.archive import ArchiveLockedError
from telemetry.ccsds.packet_batch import PacketBatch
from telemetry.links.receptions import SharedReception, shared_reception
from telemetry.links.spool import (
    KEPT_OCTETS,
    Record,
    RecordKind,
    SpoolReader,
    record_start_near,
)
from telemetry.pipeline import ReceivedFrame, instant
from telemetry.services import InputTally, Origin

_LOOK_EVERY_S: Final = 0.003  # for the next record, while something comes
_QUIET_EVERY_S: Final = 0.02
_QUIET_AFTER_LOOKS: Final = 1000
_AFTER_A_FAULT_S: Final = 1.0

logger = logging.getLogger(__name__)


def spool_folder(spacecraft: Spacecraft, one: Input) -> Path:
    """Return where the receiver of an input puts what it heard."""
    return Path(settings.SPOOL_DIR) / spacecraft.name / one.name


class SpoolIngest(threading.Thread):
    """A thread that empties the spools of one spacecraft until :meth:`stop` is called."""

    def __init__(self, spacecraft: Spacecraft, inputs: Sequence[Input]) -> None:
        super().__init__(name=f"ingest-{spacecraft.name}", daemon=True)
        self.inputs = tuple(inputs)
        self._spacecraft = spacecraft
        self._stopping = threading.Event()

    def stop(self) -> None:
        """Ask the thread to finish what it has and end."""
        self._stopping.set()

    def run(self) -> None:
        try:
            with acting_for_everybody():  # a thread does not inherit for whom work is done
                self._ingest()
        except ArchiveLockedError as error:
            logger.warning("%s is not received yet: %s", self._spacecraft, error)
            self._stopping.wait(_AFTER_A_FAULT_S)
        except Exception:
            # Whatever it was, the next look at the spacecraft starts a new thread, which
            # goes on at the place that the archive remembers.
            logger.exception("receiving %s failed; it is tried again", self._spacecraft)
            self._stopping.wait(_AFTER_A_FAULT_S)
        finally:
            connection.close()

    def _ingest(self) -> None:
        with shared_reception(self._spacecraft) as shared:
            queues = [_Queue(self._spacecraft, one, shared) for one in self.inputs]
            idle_looks = 0
            while not self._stopping.is_set():
                taken = sum(queue.take() for queue in queues)
                if taken:
                    idle_looks = 0
                    continue
                with shared.lock:
                    shared.reception.settle_if_due()
                idle_looks += 1
                quiet = idle_looks > _QUIET_AFTER_LOOKS
                self._stopping.wait(_QUIET_EVERY_S if quiet else _LOOK_EVERY_S)
            for queue in queues:
                queue.close()
            with shared.lock:
                shared.reception.settle()


class _Queue:
    """One input's spool."""

    def __init__(self, spacecraft: Spacecraft, one: Input, shared: SharedReception) -> None:
        self._input = one
        self._shared = shared
        self._station = f"input:{one.name}"
        self._source = f"spool:{one.name}"
        self._tally = InputTally(spacecraft, one.name)
        self._folder = spool_folder(spacecraft, one)
        self._folder.mkdir(parents=True, exist_ok=True)
        position = shared.reception.source_position(self._source)
        if one.carries != "space_packets" and position:
            self._warm_up(position)
        self._reader = SpoolReader(self._folder, position)

    def take(self) -> bool:
        """Take what stands on the spool now; say whether anything did."""
        records = self._reader.read()
        if not records:
            self._tally.store_if_due()
            return False
        units = [record for record in records if record.kind is RecordKind.UNITS]
        end = records[-1].end
        with self._shared.lock:
            if units:
                self._receive(units, Origin(source=self._source, end=end))
            for record in records:
                self._take_note(record)
        self._tally.store_if_due()
        self._reader.forget_before(end)
        return True

    def close(self) -> None:
        self._tally.store()
        self._reader.close()

    def _receive(self, records: list[Record], origin: Origin) -> None:
        batch, received_us = joined(records)
        if self._input.carries == "space_packets":
            self._shared.reception.receive_batch(
                batch, received_us, station=self._station, origin=origin
            )
        else:
            self._shared.reception.receive_frames(self._frames(records), origin=origin)
        self._tally.received(
            units=len(batch),
            octets=int(batch.lengths.sum()),
            at=instant(records[-1].received_us),
        )

    def _take_note(self, record: Record) -> None:
        at = instant(record.received_us)
        if record.kind is RecordKind.REJECTED:
            self._tally.rejected()
            self._shared.reception.keep_rejected(
                record.octets, reason=record.reason, station=self._station, received_at=at
            )
        elif record.kind is RecordKind.DROPPED:
            self._tally.dropped(record.count, reason=record.reason, at=at)
        elif record.kind is RecordKind.OPENED:
            self._tally.connected()
            with self._shared.lock:
                self._shared.reception.begin_contact(self._station)

    def _frames(self, records: list[Record]) -> list[ReceivedFrame]:
        return [
            ReceivedFrame(
                octets=octets, received_at=instant(record.received_us), station=self._station
            )
            for record in records
            for octets in record.batch
        ]

    def _warm_up(self, position: int) -> None:
        """Look again at the last frames before *position*: a packet may lie across it."""
        reader = SpoolReader(self._folder, record_start_near(self._folder, position - KEPT_OCTETS))
        while reader.position < position and (records := reader.read()):
            known = [r for r in records if r.kind is RecordKind.UNITS and r.end <= position]
            self._shared.reception.pass_over_frames(self._frames(known))
        reader.close()


def joined(records: Sequence[Record]) -> tuple[PacketBatch, npt.NDArray[np.int64]]:
    """Return the units of several records as one batch, and when each was received."""
    octets = np.frombuffer(b"".join(record.body for record in records), dtype=np.uint8)
    batches = [record.batch for record in records]
    bases = np.cumsum([0, *(len(record.body) for record in records[:-1])])
    starts = [batch.starts + base for batch, base in zip(batches, bases, strict=True)]
    received_us = np.repeat(
        np.array([record.received_us for record in records], dtype=np.int64),
        [record.units for record in records],
    )
    lengths = np.concatenate([batch.lengths for batch in batches])
    return PacketBatch(octets, np.concatenate(starts), lengths), received_us


def inputs_of(spacecraft: Spacecraft) -> tuple[Input, ...]:
    """Return the inputs that a spacecraft's link profile names."""
    return parse_link_profile(spacecraft.link_profile).inputs
