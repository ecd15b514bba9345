"""One turn of a pass: listen, work, send. Every step of the pass turns it."""

from __future__ import annotations

import logging
from datetime import datetime
from typing import Final

from missioncontrol.kernel import clock, live
from missioncontrol.pipelines.executor.command_link import CommandLink
from missioncontrol.pipelines.executor.file_uplink import FileUplink
from missioncontrol.pipelines.executor.pace import Every
from missioncontrol.pipelines.executor.pass_message import pass_message
from missioncontrol.pipelines.executor.station import StationService
from missioncontrol.pipelines.executor.surroundings import PassSubject, Surroundings
from missioncontrol.pipelines.executor.watch import Watch
from missioncontrol.stationlink.messages import CltuReport, CltuState
from uplink.links.items import ItemKind, decode_item
from uplink.links.uplink_channel import UplinkChannel

# All wall seconds: how often this process looks, whatever mission time does.
_POLL_S: Final = 0.04
_NUDGES_S: Final = 0.3  # jobs, verification
_RECEIVE_S: Final = 0.15
_RELEASE_S: Final = 0.2
_LIVE_S: Final = 0.5

logger = logging.getLogger(__name__)


class ServiceLoop:
    """The parts of a pass, and the turn that moves them all."""

    def __init__(
        self, *, subject: PassSubject, surroundings: Surroundings, watch: Watch, at: datetime
    ) -> None:
        self.subject = subject
        self.station = StationService(subject)
        self.clcws_seen = 0
        self._surroundings = surroundings
        self._watch = watch
        self._clcws = surroundings.clcw_source(subject.spacecraft)
        self.transfers = surroundings.transfers(subject.spacecraft, at)
        channel = UplinkChannel(
            spacecraft_id=subject.spacecraft.ccsds_id, profile=subject.profile.tc
        )
        self.commands = CommandLink(
            subject=subject,
            channel=channel,
            station=self.station,
            factor=clock.factor(),
            at=at,
        )
        self.files = FileUplink(
            epoch=subject.epoch, channel=channel, station=self.station, transfers=self.transfers
        )
        self._nudges = Every(_NUDGES_S)
        self._receive = Every(_RECEIVE_S)
        self._release = Every(_RELEASE_S)
        self._live = Every(_LIVE_S)

    def turn(self, at: datetime, *, connect: bool, serve: bool) -> None:
        """Turn once; takes up to a few hundredths of a second when nothing comes.

        Args:
            at: Mission time.
            connect: Whether the station's forward service is wanted.
            serve: Whether new telecommands and files may go up.

        Raises:
            LeaseLostError: another executor has the contact.
            StopRequestedError: the process ends.
        """
        self._watch.keep()
        if connect and self.station.connect():
            self._begin_service(at)
        self._listen(at)
        self._work(at)
        if connect:
            self._send_commands(at, release=serve)
        if serve:
            self.files.send(at, self.station.ready_octets(clock.factor()))
        self.publish(at)

    def publish(self, at: datetime) -> None:
        """Tell the open consoles how the pass goes, twice a second."""
        if self._live.is_due():
            live.publish(pass_message(self, at))

    def _begin_service(self, at: datetime) -> None:
        logger.info(
            "contact %s: forward service granted by %s",
            self.subject.contact.pk,
            self.subject.contact.antenna,
        )
        self.commands.begin(at)
        self.files.begin()

    def _listen(self, at: datetime) -> None:
        for clcw in self._clcws.read(block_ms=1):
            self.clcws_seen += clcw.received_at >= self.subject.contact.aos
            self.commands.on_clcw(clcw.word, clcw.received_at, at)
        if self.station.is_connected:
            for report in self.station.poll(_POLL_S):
                self._on_report(report, at)
        else:
            self._watch.nap(1.0)

    def _on_report(self, report: CltuReport, at: datetime) -> None:
        item = decode_item(report.item)
        if item is None:
            logger.warning("the station reports on item %s, which is none of ours", report.item)
            return
        if report.state is CltuState.REFUSED:
            # Perhaps because another executor has the contact: know it before anything else.
            self._watch.renew()
        if item.kind is ItemKind.FILE:
            self.files.on_report(report)
        else:
            self.commands.on_report(report, item, at)

    def _work(self, at: datetime) -> None:
        if self._receive.is_due():
            self.transfers.receive(at)
        if self._nudges.is_due():
            self._surroundings.process_verification(spacecraft=self.subject.spacecraft, at=at)
            self._surroundings.advance_jobs(spacecraft=self.subject.spacecraft, at=at)

    def _send_commands(self, at: datetime, *, release: bool) -> None:
        self.commands.on_time(at)
        if release and self._release.is_due():
            self.commands.release(at)
        self.commands.send(self.station.ready_octets(clock.factor()))
