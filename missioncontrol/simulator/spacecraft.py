"""One spacecraft: its subsystems, its radio and its software, moved on by mission time."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Final

from missioncontrol.fleet.profiles import CfdpProfile, LinkProfile
from missioncontrol.fleet.telecommands import TelecommandDefinition
from missioncontrol.orbits.elements import MeanElements
from missioncontrol.simulator.environment import OrbitEnvironment
from missioncontrol.simulator.file_service import FileService
from missioncontrol.simulator.file_store import FileStore
from missioncontrol.simulator.job_queue import JobQueue
from missioncontrol.simulator.link import Ground, Link
from missioncontrol.simulator.models.situation import Situation
from missioncontrol.simulator.onboard_software import OnBoardSoftware
from missioncontrol.simulator.platform import Platform
from missioncontrol.simulator.recorder import Recorder
from missioncontrol.simulator.report_log import ReportLog
from missioncontrol.simulator.state import StateFile
from missioncontrol.simulator.telecommand_receiver import TelecommandReceiver
from missioncontrol.simulator.telemetry_packets import TelemetryPackets
from missioncontrol.simulator.transmitter import Transmitter
from telemetry.dictionary import parse_xtce

_STEP: Final = timedelta(seconds=1)
_COARSE_STEP: Final = timedelta(seconds=10)
_COARSE_BEYOND: Final = timedelta(seconds=120)  # mission time that leapt is caught up coarsely
_LONGEST_LEAP: Final = timedelta(days=1)
_RECORD_EVERY_S: Final = 60
# Without the uplink's carrier the dump and the files stop after this time.
_CARRIER_HOLD: Final = timedelta(seconds=60)


@dataclass(frozen=True, slots=True, kw_only=True)
class SpacecraftSetup:
    """What makes one spacecraft: its part of the mission file, and where it keeps its state."""

    name: str
    ccsds_id: int
    link_profile: LinkProfile
    cfdp_profile: CfdpProfile
    telecommands: list[TelecommandDefinition]
    dictionary: str  # XTCE
    elements: MeanElements
    folder: Path


class Spacecraft:
    """Everything on board. Not for several threads; times never go backwards."""

    def __init__(self, setup: SpacecraftSetup, *, at: datetime, rng: random.Random) -> None:
        profile = setup.link_profile
        self.name: Final = setup.name
        self.at = at
        self._rng = rng
        self._profile = profile
        self._environment = OrbitEnvironment(setup.elements)
        self._packets = TelemetryPackets(parse_xtce(setup.dictionary.encode()), profile)
        self._receiver = TelecommandReceiver(spacecraft_id=setup.ccsds_id, profile=profile.tc)
        self._transmitter = Transmitter(spacecraft_id=setup.ccsds_id, profile=profile.tm)
        self._store = FileStore(setup.folder / "store")
        self._files = FileService(setup.cfdp_profile, self._store)
        self._jobs = JobQueue(read_file=self._store.read_file, rng=rng)
        self._platform = Platform(profile)
        self._software = OnBoardSoftware(
            definitions=setup.telecommands,
            compute=self._platform.compute,
            jobs=self._jobs,
            files=self._files,
            report=self._report,
        )
        self._recorder = Recorder()
        self._reports = ReportLog()
        self._link = Link(in_view=False, uplink_locked=False, is_heard=False)
        self._open_until: datetime | None = None  # the carrier was seen in this pass
        self._physics_at = at
        self._is_dirty = False
        self._ledger = StateFile(setup.folder / "ledger.json")
        self._state = StateFile(setup.folder / "state.json")
        self._restore(at)
        situation = self._situation(at)
        self._packets.check_parameters(self._telemetry(situation))

    # What the radio brings

    def receive_cltu(self, octets: bytes, at: datetime) -> None:
        """Take a CLTU as it arrives at the antenna."""
        apids, channels = self._profile.apids, self._profile.tc
        for packet in self._receiver.receive_cltu(octets):
            apid = int.from_bytes(packet.octets[:2], "big") & 0x7FF
            if apid == apids.files_up:
                self._files.receive(packet.octets[6:], at)
            elif packet.channel == channels.vc_commands:
                self._software.execute(packet.octets, at)
        self._is_dirty = True

    # Time

    def advance(self, until: datetime, ground: Ground) -> None:
        """Live through the mission time up to *until*."""
        if until - self.at > _LONGEST_LEAP:
            self.at = self._physics_at = until - _LONGEST_LEAP
        step = _COARSE_STEP if until - self.at > _COARSE_BEYOND else _STEP
        while self.at < until:
            end = min(until, _next_multiple(self.at, step))
            self._live_through(end, ground)
        if self._is_dirty or self._files.is_dirty or self._software.is_dirty:
            self.commit()

    def _live_through(self, end: datetime, ground: Ground) -> None:
        self._link = ground.link(end)
        self._follow_carrier(end)
        if self._link.in_view:
            self._transmitter.transmit(
                begin=self.at,
                until=end,
                clcw=self._clcw,
                refill=self._refill,
                radiate=ground.hear,
            )
        else:
            self._transmitter.rest()
        self.at = end
        self._files.on_time(end)
        if end.microsecond == 0:
            self._feel(end)

    def _clcw(self) -> bytes:
        return self._receiver.clcw(is_locked=self._link.uplink_locked).encode()

    def _follow_carrier(self, at: datetime) -> None:
        """Open the link when a carrier is seen, close it when that is gone or the pass ends."""
        was_open = self._open_until is not None
        if self._link.uplink_locked:
            self._open_until = at + _CARRIER_HOLD
        elif not self._link.in_view or (self._open_until is not None and at > self._open_until):
            self._open_until = None
        if self._open_until is not None and not was_open:
            self._files.resume(at)
            self._reports.begin_dump(at)
        elif self._open_until is None and was_open:
            self._files.suspend(at)

    def _refill(self, at: datetime) -> None:
        """Give the transmitter what waits on board, as much as it can take soon."""
        if self._open_until is None or not self._link.is_heard:
            return
        tm = self._profile.tm
        while self._transmitter.wants(tm.vc_recorded):
            packet = self._reports.take(at) or self._recorder.take()
            if packet is None:
                break
            self._transmitter.add(tm.vc_recorded, packet)
        if self._files.has_pdus and self._transmitter.wants(tm.vc_files):
            self._add_file_data_units(at)

    def _add_file_data_units(self, at: datetime) -> None:
        if self._files.is_dirty:
            self.commit()
        room = max(self._files.largest_pdu_octets, 2 * self._transmitter.data_field_octets)
        channel = self._profile.tm.vc_files
        for pdu in self._files.next_pdus(at, max_octets=room):
            packet = self._packets.file_data_unit(
                pdu, apid=self._profile.apids.files_down, channel=channel
            )
            self._transmitter.add(channel, packet)

    # The subsystems

    def _feel(self, at: datetime) -> None:
        dt_s = (at - self._physics_at).total_seconds()
        self._physics_at = at
        situation = self._situation(at)
        self._platform.step(
            dt_s, situation=situation, job_running=self._jobs.running_number != 0, rng=self._rng
        )
        power = self._platform.power
        if power.is_shedding:
            self._software.shed(everything=power.is_safe)
        self._software.step(dt_s, at)
        self._sample(at, situation)

    def _situation(self, at: datetime) -> Situation:
        orbit = self._environment.at(at)
        return Situation(
            sunlit_fraction=orbit.sunlit_fraction,
            beta_deg=orbit.beta_deg,
            latitude_deg=orbit.latitude_deg,
            longitude_deg=orbit.longitude_deg,
            orbit_phase_rad=orbit.phase_rad,
            in_view=self._link.in_view,
            uplink_locked=self._link.uplink_locked,
            range_m=self._link.range_m,
            range_rate_m_s=self._link.range_rate_m_s,
        )

    def _sample(self, at: datetime, situation: Situation) -> None:
        """Make the housekeeping packets that are due, for the radio and for the recorder."""
        second = int(at.timestamp())
        tm = self._profile.tm
        sends = self._link.in_view and second % self._software.period_s == 0
        records = self._open_until is None and second % _RECORD_EVERY_S == 0
        if not sends and not records:
            return
        values = self._telemetry(situation)
        if sends:
            for packet in self._packets.housekeeping(values, channel=tm.vc_realtime, at=at):
                self._transmitter.add(tm.vc_realtime, packet)
        if records:
            for packet in self._packets.housekeeping(values, channel=tm.vc_recorded, at=at):
                self._recorder.record(packet)

    def _telemetry(self, situation: Situation) -> Mapping[str, float | int | str]:
        return self._platform.telemetry(
            situation=situation,
            receiver=self._receiver,
            software=self._software,
            files=self._files,
            jobs=self._jobs,
            store_fraction=self._store.used_fraction,
            rng=self._rng,
        )

    def _report(self, request_id: int, stage: str, code: int, at: datetime) -> None:
        """Report a stage of a telecommand now, and keep the report to send it again."""
        tm = self._profile.tm
        packet = partial(
            self._packets.verification,
            request_id=request_id,
            stage=stage,
            success=code == 0,
            code=code,
            at=at,
        )
        if self._link.in_view:
            self._transmitter.add(tm.vc_realtime, packet(channel=tm.vc_realtime))
        self._reports.keep(
            packet(channel=tm.vc_recorded), sent_at=None if self._open_until is None else at
        )

    # Durability

    def commit(self) -> None:
        """Save what must never be taken back: files, jobs, FARM-1, reports, counts."""
        self._ledger.save(
            {
                "files": self._files.snapshot(self.at),
                "software": self._software.snapshot(),
                "receiver": self._receiver.snapshot(),
                "reports": self._reports.snapshot(),
                "counts": self._packets.snapshot(),
            }
        )
        self._is_dirty = self._files.is_dirty = self._software.is_dirty = False

    def save(self) -> None:
        """Save everything, physics and recorder too."""
        self.commit()
        self._state.save(
            {
                "at": self.at.isoformat(),
                "platform": self._platform.snapshot(),
                "recorder": self._recorder.snapshot(),
            }
        )

    def close(self) -> None:
        """Save, and end the payload's worker."""
        self.save()
        self._jobs.close()

    def _restore(self, at: datetime) -> None:
        ledger, state = self._ledger.load(), self._state.load()
        if ledger is not None:
            self._files.restore(ledger["files"], at)
            self._software.restore(ledger["software"])
            self._receiver.restore(ledger["receiver"])
            self._reports.restore(ledger["reports"])
            self._packets.restore(ledger["counts"])
        self._files.suspend(at)  # until the next carrier is seen
        if state is None:
            return
        self._platform.restore(state["platform"])
        self._recorder.restore(state["recorder"])
        saved_at = datetime.fromisoformat(state["at"])
        if saved_at < at:
            # Live through the time that the simulator was down, up to a day of it.
            self.at = self._physics_at = max(saved_at, at - _LONGEST_LEAP)


def _next_multiple(at: datetime, step: timedelta) -> datetime:
    """Return the first whole multiple of *step* (since the day began) after *at*."""
    midnight = at.replace(hour=0, minute=0, second=0, microsecond=0)
    return midnight + ((at - midnight) // step + 1) * step
