"""The subsystems together: who heats, feeds and turns whom."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, Final

from missioncontrol.fleet.profiles import LinkProfile
from missioncontrol.simulator.file_service import FileService
from missioncontrol.simulator.job_queue import JobQueue
from missioncontrol.simulator.models.attitude import Attitude
from missioncontrol.simulator.models.comms import Comms, LinkCounters
from missioncontrol.simulator.models.compute import Accelerator, Compute
from missioncontrol.simulator.models.computer import OnBoardComputer, SoftwareCounters
from missioncontrol.simulator.models.power import Power
from missioncontrol.simulator.models.situation import Situation, Value
from missioncontrol.simulator.models.thermal import Thermal
from missioncontrol.simulator.onboard_software import OnBoardSoftware
from missioncontrol.simulator.telecommand_receiver import TelecommandReceiver

_BUS_W: Final = 385.0  # computer, attitude, harness: what is always on


class Platform:
    """Power, thermal, compute, attitude, communications and the on-board computer."""

    def __init__(self, profile: LinkProfile) -> None:
        self._uplink_hz = profile.uplink_hz
        self._rate_bps = profile.tm.rate_bps
        self.power = Power()
        self.thermal = Thermal()
        self.compute = Compute()
        self.attitude = Attitude()
        self.comms = Comms()
        self.computer = OnBoardComputer()

    def step(
        self, dt_s: float, *, situation: Situation, job_running: bool, rng: random.Random
    ) -> None:
        """Move every subsystem on by *dt_s* seconds."""
        self.attitude.step(dt_s, situation=situation, rng=rng)
        self.comms.step(dt_s, situation=situation)
        self.compute.step(dt_s, situation=situation, job_running=job_running, rng=rng)
        self.computer.step(dt_s, rng)
        payload_w = self.compute.payload_w
        load_w = _BUS_W + self.comms.consumed_w + self.thermal.heater_w + self.thermal.pump_w
        self.power.step(
            dt_s,
            sunlit_fraction=situation.sunlit_fraction,
            sun_angle_deg=self.attitude.sun_angle_deg,
            load_w=load_w + payload_w,
            payload_w=payload_w,
        )
        self.thermal.step(
            dt_s,
            sunlit_fraction=situation.sunlit_fraction,
            payload_w=payload_w,
            gpu_w=self.compute.gpu_w,
            battery_a=self.power.battery_a,
            transmitter_w=self.comms.consumed_w,
        )

    def telemetry(
        self,
        *,
        situation: Situation,
        receiver: TelecommandReceiver,
        software: OnBoardSoftware,
        files: FileService,
        jobs: JobQueue,
        store_fraction: float,
        rng: random.Random,
    ) -> dict[str, Value]:
        """Return every housekeeping parameter as its sensor shows it now."""
        thermal = self.thermal
        return {
            **self.power.telemetry(rng, battery_t_deg_c=thermal.battery_deg_c),
            **thermal.telemetry(rng),
            **self.compute.telemetry(
                rng,
                thermal_deg_c=thermal.gpu_deg_c,
                job_number=jobs.running_number,
                jobs_queued=jobs.waiting,
                jobs_done=jobs.done,
                jobs_failed=jobs.failed,
            ),
            **self.attitude.telemetry(rng, wheel_deg_c=thermal.wheel_deg_c),
            **self.comms.telemetry(
                rng,
                situation=situation,
                counters=LinkCounters(
                    farm_state=receiver.farm_state,
                    farm_expected=receiver.farm_expected,
                    frames_ok=receiver.frames_ok,
                    frames_bad=receiver.frames_bad,
                    files_waiting=files.files_waiting,
                    file_octets=files.octets_waiting,
                ),
                uplink_hz=self._uplink_hz,
                rate_bps=self._rate_bps,
                amplifier_deg_c=thermal.amplifier_deg_c,
            ),
            **self.computer.telemetry(
                rng,
                counters=SoftwareCounters(
                    period_s=software.period_s,
                    accepted=software.accepted,
                    rejected=software.rejected,
                    last_request=software.last_request,
                    upsets=self.compute.upsets,
                    store_fraction=store_fraction,
                ),
                busy=jobs.running_number != 0,
                is_safe=self.power.is_safe,
            ),
        }

    def snapshot(self) -> dict[str, Any]:
        return {
            "power": asdict(self.power),
            "thermal": asdict(self.thermal),
            "compute": asdict(self.compute),
            "attitude": asdict(self.attitude),
            "comms": asdict(self.comms),
            "computer": asdict(self.computer),
        }

    def restore(self, snapshot: Mapping[str, Any]) -> None:
        """Continue from a snapshot; the models keep their identity, others point to them."""
        compute = {
            **snapshot["compute"],
            "units": [Accelerator(**unit) for unit in snapshot["compute"]["units"]],
        }
        for model, values in (
            (self.power, snapshot["power"]),
            (self.thermal, snapshot["thermal"]),
            (self.compute, compute),
            (self.attitude, snapshot["attitude"]),
            (self.comms, snapshot["comms"]),
            (self.computer, snapshot["computer"]),
        ):
            for name, value in values.items():
                setattr(model, name, value)
