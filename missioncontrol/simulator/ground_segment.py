"""All stations: who may use which antenna when, and what goes up and down through them.

The station's end of docs/station-link.md, without sockets.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from missioncontrol.orbits.look_angles import SPEED_OF_LIGHT_M_S, LookAngle
from missioncontrol.simulator.antenna import (
    STATUS_EVERY,
    Antenna,
    Connection,
    ForwardSession,
    ReturnSession,
    Session,
)
from missioncontrol.simulator.journal import RadiationJournal
from missioncontrol.simulator.link import Link
from missioncontrol.simulator.link_faults import LinkFaults
from missioncontrol.stationlink.messages import (
    PROTOCOL_VERSION,
    Bye,
    Cltu,
    CltuReport,
    CltuState,
    Hello,
    Journal,
    Refused,
    Service,
    Status,
    TmFrameReceived,
    Welcome,
)

LOS: Final = "LOS"

ReceiveCltu = Callable[[str, bytes, datetime], None]  # (spacecraft, octets, at)

logger = logging.getLogger(__name__)


@dataclass(slots=True)
class LinkCounts:
    """What became of frames and CLTUs."""

    frames_heard: int = 0
    frames_lost: int = 0  # on the radio path
    frames_unheard: int = 0  # no return service was in use
    cltus_radiated: int = 0
    cltus_lost: int = 0
    cltus_refused: int = 0


class _RefusedError(Exception):
    """The service is not given; the text is for operators."""


class GroundSegment:
    """Every antenna of the mission."""

    def __init__(
        self,
        *,
        antennas: Iterable[Antenna],
        uplink_rates_bps: Mapping[str, int],
        journal: RadiationJournal,
        faults: LinkFaults,
        receive_cltu: ReceiveCltu,
    ) -> None:
        self._antennas = {antenna.name: antenna for antenna in antennas}
        self._uplink_rates_bps = uplink_rates_bps
        self._journal = journal
        self._faults = faults
        self._receive_cltu = receive_cltu
        self._visible: dict[str, list[tuple[Antenna, LookAngle]]] = {}
        self.counts = LinkCounts()

    # Sessions

    def open(self, hello: Hello, connection: Connection, at: datetime) -> Session | None:
        """Answer a HELLO; None where the dialogue has ended with the answer."""
        try:
            antenna = self._check(hello, at)
            if hello.service is Service.JOURNAL:
                self._give_journal(hello, connection)
                return None
            self._check_visible(hello, antenna, at)
            return self._begin(hello, antenna, connection, at)
        except _RefusedError as refusal:
            connection.send(Refused(reason=str(refusal)))
            connection.close()
            return None

    def lose(self, session: Session) -> None:
        """A connection is gone: what it had not radiated is dropped."""
        session.antenna.remove(session)

    def close_all(self, reason: str, at: datetime) -> None:
        """End every service."""
        for antenna in self._antennas.values():
            for session in antenna.sessions():
                self._end(session, reason, at)

    def _check(self, hello: Hello, at: datetime) -> Antenna:
        if hello.version != PROTOCOL_VERSION:
            raise _RefusedError(
                f"version {hello.version} of the station link; this station speaks "
                f"{PROTOCOL_VERSION}"
            )
        antenna = self._antennas.get(hello.antenna)
        if antenna is None:
            raise _RefusedError(
                f"no antenna {hello.antenna!r} here; there are {', '.join(self._antennas)}"
            )
        if hello.spacecraft not in self._uplink_rates_bps:
            raise _RefusedError(
                f"no spacecraft {hello.spacecraft!r} here; there is "
                f"{', '.join(self._uplink_rates_bps)}"
            )
        if hello.relay and hello.service is not Service.JOURNAL:
            raise _RefusedError(
                f"{antenna.name} of the simulator looks at spacecraft themselves and reaches "
                f"nobody over {hello.relay}"
            )
        self._check_epoch(hello, at)
        return antenna

    def _check_epoch(self, hello: Hello, at: datetime) -> None:
        """The return service has no epoch of its own: whoever listens does no harm."""
        if hello.service is Service.RETURN:
            return
        seen = self._journal.highest_epoch(hello.contact)
        if hello.epoch < seen:
            raise _RefusedError(
                f"epoch {hello.epoch} of contact {hello.contact} is over: {seen} was seen"
            )
        self._journal.note_epoch(hello.contact, hello.epoch)
        if hello.epoch > seen:
            for antenna in self._antennas.values():
                forward = antenna.forward
                if forward is not None and forward.contact == hello.contact:
                    self._end(forward, f"epoch {hello.epoch} has taken over", at)

    def _check_visible(self, hello: Hello, antenna: Antenna, at: datetime) -> None:
        above_deg = antenna.above_mask_deg(antenna.look(hello.spacecraft, at))
        if above_deg < 0:
            raise _RefusedError(
                f"{hello.spacecraft} is {-above_deg:.1f} deg below the mask of {antenna.name}"
            )

    def _give_journal(self, hello: Hello, connection: Connection) -> None:
        radiated = self._journal.radiated(hello.contact)
        connection.send(Journal(contact=hello.contact, radiated=radiated))
        connection.close()

    def _begin(
        self, hello: Hello, antenna: Antenna, connection: Connection, at: datetime
    ) -> Session:
        session: Session
        if hello.service is Service.RETURN:
            session = ReturnSession(
                antenna=antenna, spacecraft=hello.spacecraft, connection=connection
            )
            antenna.listeners.append(session)
        else:
            session = self._begin_forward(hello, antenna, connection, at)
        connection.send(Welcome(station=antenna.station, antenna=antenna.name, mission_time=at))
        if isinstance(session, ForwardSession):
            self._send_status(session, at)
        logger.info("%s of %s begins on %s", hello.service, hello.spacecraft, antenna.name)
        return session

    def _begin_forward(
        self, hello: Hello, antenna: Antenna, connection: Connection, at: datetime
    ) -> ForwardSession:
        if antenna.forward is not None:
            if antenna.forward.contact != hello.contact:
                raise _RefusedError(
                    f"{antenna.name} radiates for contact {antenna.forward.contact}"
                )
            self._end(antenna.forward, "the same contact has connected again", at)
        antenna.forward = ForwardSession(
            antenna=antenna,
            spacecraft=hello.spacecraft,
            contact=hello.contact,
            epoch=hello.epoch,
            rate_bps=self._uplink_rates_bps[hello.spacecraft],
            connection=connection,
            status_at=at,
            free_at=at,
        )
        return antenna.forward

    def _end(self, session: Session, reason: str, at: datetime) -> None:
        if isinstance(session, ForwardSession):
            for cltu, _ in session.queue:
                self._refuse_cltu(session, cltu, f"{reason} came before it was radiated", at)
            session.queue.clear()
        session.connection.send(Bye(reason=reason))
        session.connection.close()
        session.antenna.remove(session)
        logger.info(
            "service of %s on %s ends: %s", session.spacecraft, session.antenna.name, reason
        )

    # The way up

    def take_cltu(self, session: ForwardSession, cltu: Cltu, at: datetime) -> None:
        """Take a CLTU from a client: it is radiated, or refused with a report."""
        seen = self._journal.highest_epoch(session.contact)
        if cltu.epoch < seen:
            reason = f"epoch {cltu.epoch} is over: {seen} was seen"
            self._refuse_cltu(session, cltu, reason, at)
        elif session.holds(cltu.item) or self._journal.has(session.contact, cltu.item):
            self._refuse_cltu(session, cltu, "radiated already", at)
        else:
            self._journal.note_epoch(session.contact, cltu.epoch)
            session.enqueue(cltu, at)

    def _refuse_cltu(self, session: ForwardSession, cltu: Cltu, reason: str, at: datetime) -> None:
        self.counts.cltus_refused += 1
        session.connection.send(
            CltuReport(item=cltu.item, state=CltuState.REFUSED, reason=reason, at=at)
        )

    def advance(self, at: datetime) -> None:
        """Radiate what is due, point the antennas, end what has set; after the spacecraft."""
        for antenna in self._antennas.values():
            for session in antenna.sessions():
                if isinstance(session, ForwardSession):
                    self._radiate(session, at)
                look = antenna.look(session.spacecraft, at)
                if not antenna.sees(look):
                    self._end(session, LOS, at)
                elif isinstance(session, ForwardSession) and at >= session.status_at:
                    self._send_status(session, at)

    def _radiate(self, session: ForwardSession, at: datetime) -> None:
        for cltu, radiated_at in session.take_radiated(at):
            self._journal.add(session.contact, cltu.item)
            self.counts.cltus_radiated += 1
            octets = self._faults.up(cltu.octets)
            if octets is None:
                self.counts.cltus_lost += 1
            else:
                self._receive_cltu(session.spacecraft, octets, at)
            session.connection.send(
                CltuReport(item=cltu.item, state=CltuState.RADIATED, reason="", at=radiated_at)
            )

    def _send_status(self, session: ForwardSession, at: datetime) -> None:
        look = session.antenna.look(session.spacecraft, at)
        session.connection.send(
            Status(
                at=at,
                azimuth_deg=round(look.azimuth_deg, 3),
                elevation_deg=round(look.elevation_deg, 3),
                range_m=round(look.range_m, 1),
                range_rate_m_s=round(look.range_rate_m_s, 3),
                carrier_lock=session.antenna.sees(look),
            )
        )
        session.status_at = at + STATUS_EVERY

    # The way down

    def link(self, spacecraft: str, at: datetime) -> Link:
        """Return how a spacecraft and the ground see each other at an instant."""
        visible = [
            (antenna, look)
            for antenna in self._antennas.values()
            for look in (antenna.look(spacecraft, at),)
            if antenna.sees(look)
        ]
        self._visible[spacecraft] = visible
        if not visible:
            return Link(in_view=False, uplink_locked=False, is_heard=False)
        radiating = [look for antenna, look in visible if _radiates_to(antenna, spacecraft)]
        look = radiating[0] if radiating else min((one for _, one in visible), key=_range_m)
        return Link(
            in_view=True,
            uplink_locked=bool(radiating),
            is_heard=any(_listens_to(antenna, spacecraft) for antenna, _ in visible),
            range_m=look.range_m,
            range_rate_m_s=look.range_rate_m_s,
        )

    def hear(self, spacecraft: str, frame: bytes, at: datetime) -> None:
        """Take a frame that left a spacecraft; every antenna that listens receives its own."""
        listeners = [
            (session, look)
            for antenna, look in self._visible.get(spacecraft, [])
            for session in antenna.listeners
            if session.spacecraft == spacecraft
        ]
        if not listeners:
            self.counts.frames_unheard += 1
        for session, look in listeners:
            octets = self._faults.down(frame)
            if octets is None:
                self.counts.frames_lost += 1
                continue
            self.counts.frames_heard += 1
            received_at = at + timedelta(seconds=look.range_m / SPEED_OF_LIGHT_M_S)
            session.connection.send(TmFrameReceived(received_at=received_at, octets=octets))


def _range_m(look: LookAngle) -> float:
    return look.range_m


def _radiates_to(antenna: Antenna, spacecraft: str) -> bool:
    return antenna.forward is not None and antenna.forward.spacecraft == spacecraft


def _listens_to(antenna: Antenna, spacecraft: str) -> bool:
    return any(session.spacecraft == spacecraft for session in antenna.listeners)
