"""Two CFDP entities, their disks and the radio between them, all in memory."""

from __future__ import annotations

import heapq
import json
from datetime import UTC, datetime, timedelta
from itertools import count

from uplink.cfdp.checksum import file_checksum
from uplink.cfdp.codec import decode_pdu, encode_pdu
from uplink.cfdp.effects import FileComplete, FileDiscarded, VerifyChecksum, WriteSegment
from uplink.cfdp.entity import CfdpEntity
from uplink.cfdp.profile import CfdpProfile
from uplink.cfdp.request import PutRequest

T0 = datetime(2026, 3, 1, 12, tzinfo=UTC)
STEP = timedelta(seconds=0.5)


def after(seconds):
    return T0 + timedelta(seconds=seconds)


def profile(local=1, remote=2, **changes):
    given = {
        "segment_octets": 64,
        "ack_timer_s": 5,
        "nak_timer_s": 5,
        "inactivity_s": 300,
        "ack_limit": 60,
        "nak_limit": 60,
        "retention_s": 1e8,
        **changes,
    }
    return CfdpProfile(local_entity_id=local, remote_entity_id=remote, **given)


def request(content, *, name="result.bin", **changes):
    return PutRequest(
        source_file_name=name,
        destination_file_name=f"stored-{name}",
        size_octets=len(content),
        **changes,
    )


def reader(content):
    return lambda offset, length: content[offset : offset + length]


class Node:
    """An entity with a runtime that keeps to the order of the package's docstring.

    What is committed survives :meth:`kill`; what is not, is gone, files included.
    """

    def __init__(self, given):
        self.profile = given
        self.entity = CfdpEntity(given)
        self.outgoing = {}  # transaction id -> content; read only, so always durable
        self.stored = {}  # transaction id -> octets being received
        self.delivered = []  # (transaction id, content)
        self.events = []  # all others
        self._read = lambda one, offset, length: self.outgoing[one][offset : offset + length]
        self.commit(T0)

    def put(self, content, number, at, **changes):
        source = self.entity.put(request(content, **changes), sequence_number=number, at=at)
        self.outgoing[source.transaction_id] = content
        self.commit(at)
        return source.transaction_id

    def receive(self, octets, at):
        self.apply(self.entity.receive(octets, at), at)

    def on_time(self, at):
        self.apply(self.entity.on_time(at), at)

    def apply(self, effects, at):
        for effect in effects:
            match effect:
                case WriteSegment(one, offset, data):
                    self._write(one, offset, data)
                case VerifyChecksum(one, checksum_type, size):
                    stored = bytes(self.stored.setdefault(one, bytearray()))
                    checksum = file_checksum(checksum_type, reader(stored), size)
                    self.apply(self.entity.checksum_computed(one, checksum, at), at)
                case FileComplete(one):
                    content = bytes(self.stored.pop(one, b""))
                    self.delivered.append((one, content))
                case FileDiscarded(one):
                    self.stored.pop(one, None)
                    self.events.append(effect)
                case _:
                    self.events.append(effect)

    def _write(self, one, offset, data):
        octets = self.stored.setdefault(one, bytearray())
        octets.extend(bytes(max(0, offset + len(data) - len(octets))))
        octets[offset : offset + len(data)] = data

    def commit(self, at):
        self._durable = json.dumps(
            {
                "snapshots": self.entity.snapshot(at),
                "suspended": self.entity.suspended,
                "stored": [
                    [list(pair(one)), bytes(data).hex()] for one, data in self.stored.items()
                ],
            }
        )
        self._durable_delivered = list(self.delivered)
        self._durable_events = list(self.events)

    def kill(self, at):
        durable = json.loads(self._durable)
        self.entity = CfdpEntity.restore(
            durable["snapshots"], profile=self.profile, at=at, suspended=durable["suspended"]
        )
        ids = {pair(one.transaction_id): one.transaction_id for one in self.entity.transactions}
        self.stored = {
            ids[tuple(one)]: bytearray(bytes.fromhex(data)) for one, data in durable["stored"]
        }
        self.delivered = list(self._durable_delivered)
        self.events = list(self._durable_events)

    def pull(self, at, max_octets=10_000):
        """Commit, then return the octets to transmit."""
        self.commit(at)
        pdus = self.entity.next_pdus(self._read, at=at, max_octets=max_octets)
        return [encode_pdu(pdu) for pdu in pdus]

    def of_type(self, kind):
        return [event for event in self.events if isinstance(event, kind)]

    @property
    def closed(self):
        return all(one.closed for one in self.entity.transactions)


def pair(transaction_id):
    return transaction_id.source_entity_id, transaction_id.sequence_number


class Radio:
    """Carries octets with loss, duplication and delay, which reorders them."""

    def __init__(self, chance, *, loss=0.0, duplication=0.0, max_delay_s=0.0):
        self._chance = chance
        self._loss = loss
        self._duplication = duplication
        self._max_delay_s = max_delay_s
        self._flying = []
        self._order = count()

    def send(self, octets, at):
        copies = 2 if self._chance.random() < self._duplication else 1
        for _ in range(copies):
            if self._chance.random() >= self._loss:
                due = at + timedelta(seconds=self._chance.uniform(0, self._max_delay_s))
                heapq.heappush(self._flying, (due, next(self._order), octets))

    def arrivals(self, at):
        while self._flying and self._flying[0][0] <= at:
            yield heapq.heappop(self._flying)[2]

    @property
    def silent(self):
        return not self._flying


class Run:
    """Steps two nodes and the radios between them until both have closed everything."""

    def __init__(self, ground, space, up, down):
        self.ground, self.space, self.up, self.down = ground, space, up, down
        self.at = T0

    def step(self, *, max_octets=10_000, before_commit=None):
        ways = ((self.ground, self.down, self.up), (self.space, self.up, self.down))
        for node, incoming, outgoing in ways:
            for octets in incoming.arrivals(self.at):
                node.receive(octets, self.at)
            node.on_time(self.at)
            if before_commit is not None:
                before_commit(node)
            for octets in node.pull(self.at, max_octets):
                outgoing.send(octets, self.at)
        self.at += STEP

    @property
    def over(self):
        nothing_flies = self.up.silent and self.down.silent
        return nothing_flies and self.ground.closed and self.space.closed


def bodies(octets):
    return [decode_pdu(one).body for one in octets]
