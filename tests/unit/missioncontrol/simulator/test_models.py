from __future__ import annotations

import math
import random
from datetime import timedelta

import pytest

from missioncontrol.orbits.sun_synchronous import sun_synchronous_elements
from missioncontrol.simulator.environment import OrbitEnvironment
from missioncontrol.simulator.models.power import Power
from missioncontrol.simulator.models.situation import Situation
from missioncontrol.simulator.platform import Platform
from telemetry.dictionary.model import ConcernLevel, NumericAlarm
from tests.unit.missioncontrol.simulator.demo import (
    ECLIPSE_SEASON,
    IN_PASS,
    demo_dictionary,
    demo_spacecraft,
)

STEP_S = 10.0
REVOLUTION_S = 6000


def situation(orbit, *, in_view=False):
    return Situation(
        sunlit_fraction=orbit.sunlit_fraction,
        beta_deg=orbit.beta_deg,
        latitude_deg=orbit.latitude_deg,
        longitude_deg=orbit.longitude_deg,
        orbit_phase_rad=orbit.phase_rad,
        in_view=in_view,
        uplink_locked=in_view,
        range_m=1.2e6,
        range_rate_m_s=-6500.0,
    )


class Flight:
    """A platform that lives through orbits; what it does is kept by parameter."""

    def __init__(self, environment, start, *, job=False, power=True):
        self.platform = Platform(demo_spacecraft().link_profile)
        self.rng = random.Random(4)
        self.environment, self.at, self.job = environment, start, job
        if not power:
            self.platform.compute.switch(0, on=False)
            self.platform.compute.switch(1, on=False)
        self.seen = {}

    def fly(self, seconds):
        for second in range(0, seconds, int(STEP_S)):
            self.at += timedelta(seconds=STEP_S)
            here = situation(self.environment.at(self.at), in_view=second % 6000 < 600)
            self.platform.step(STEP_S, situation=here, job_running=self.job, rng=self.rng)
            self._keep(here)
        return self

    def _keep(self, here):
        platform, rng = self.platform, self.rng
        values = {
            **platform.power.telemetry(rng, battery_t_deg_c=platform.thermal.battery_deg_c),
            **platform.thermal.telemetry(rng),
            **platform.compute.telemetry(
                rng,
                thermal_deg_c=platform.thermal.gpu_deg_c,
                job_number=int(self.job),
                jobs_queued=0,
                jobs_done=0,
                jobs_failed=0,
            ),
            **platform.attitude.telemetry(rng, wheel_deg_c=platform.thermal.wheel_deg_c),
        }
        for name, value in values.items():
            self.seen.setdefault(name, []).append(value)


@pytest.fixture(scope="module")
def sunlit():
    return OrbitEnvironment(demo_spacecraft().ephemerides[0].mean_elements())


@pytest.fixture(scope="module")
def noon_orbit():
    """An orbit that crosses the equator at noon: a third of it lies in the shadow."""
    return OrbitEnvironment(sun_synchronous_elements("NOON", 99002, 750.0, 12.0, ECLIPSE_SEASON))


def outside_limits(seen):
    """Return the parameters that left the limits of the dictionary, warning or worse."""
    found = set()
    for name, values in seen.items():
        alarm = demo_dictionary().parameters[name].alarm
        if not isinstance(alarm, NumericAlarm):
            continue
        for one in alarm.ranges:
            low = -math.inf if one.minimum is None else one.minimum
            high = math.inf if one.maximum is None else one.maximum
            if one.level is not ConcernLevel.WATCH and not all(low <= v <= high for v in values):
                found.add(name)
    return found


class TestOrbitEnvironment:
    def test_has_no_eclipse_in_the_demo(self, sunlit):
        orbits = [sunlit.at(IN_PASS + timedelta(minutes=m)) for m in range(100)]
        assert all(orbit.sunlit_fraction == 1.0 for orbit in orbits)
        assert 75 < orbits[0].beta_deg < 78

    def test_goes_through_the_shadow_for_a_third_of_a_noon_orbit(self, noon_orbit):
        lit = [
            noon_orbit.at(ECLIPSE_SEASON + timedelta(seconds=s)).sunlit_fraction
            for s in range(0, REVOLUTION_S, 10)
        ]
        assert 0.60 < sum(lit) / len(lit) < 0.70
        assert (min(lit), max(lit)) == (0.0, 1.0)

    def test_turns_once_in_a_revolution(self, sunlit):
        first = sunlit.at(IN_PASS)
        later = sunlit.at(IN_PASS + timedelta(days=1 / 14.41700228))
        turn = (later.phase_rad - first.phase_rad + math.pi) % math.tau - math.pi
        assert abs(turn) < 1e-4
        assert abs(later.latitude_deg - first.latitude_deg) < 0.5


class TestPlatform:
    @pytest.mark.parametrize("job", [False, True])
    def test_stays_within_its_limits_in_sunlight(self, sunlit, job):
        flight = Flight(sunlit, IN_PASS, job=job).fly(3 * REVOLUTION_S)
        assert outside_limits(flight.seen) == set()
        assert set(flight.seen["PWR_MODE"]) == {"SUNLIT"}
        assert max(flight.seen["PWR_BATT_SOC"]) <= 100.0

    def test_discharges_in_the_shadow_and_recovers(self, noon_orbit):
        flight = Flight(noon_orbit, ECLIPSE_SEASON).fly(4 * REVOLUTION_S)
        charge = flight.seen["PWR_BATT_SOC"]
        assert 75 < min(charge) < 93
        assert max(charge[len(charge) // 2 :]) > 95
        assert min(flight.seen["PWR_BATT_I"]) < -10
        assert min(flight.seen["THM_PANEL_T"]) < 0
        assert max(flight.seen["THM_HEATER_P"]) > 90
        assert set(flight.seen["PWR_MODE"]) == {"SUNLIT", "ECLIPSE"}
        assert flight.platform.power.cycles >= 212 + 3
        assert outside_limits(flight.seen) == set()

    def test_a_job_heats_the_accelerator_and_draws_power(self, sunlit):
        idle = Flight(sunlit, IN_PASS).fly(600)
        busy = Flight(sunlit, IN_PASS, job=True).fly(600)
        assert busy.seen["CMP_GPU0_P"][-1] > idle.seen["CMP_GPU0_P"][-1] + 400
        assert busy.seen["CMP_GPU0_T"][-1] > idle.seen["CMP_GPU0_T"][-1] + 15
        assert abs(busy.seen["CMP_GPU1_P"][-1] - idle.seen["CMP_GPU1_P"][-1]) < 20
        assert busy.seen["PWR_LOAD_P"][-1] > idle.seen["PWR_LOAD_P"][-1] + 400
        assert (busy.seen["CMP_MODE"][-1], idle.seen["CMP_MODE"][-1]) == ("BUSY", "READY")

    def test_is_cold_and_off_without_the_payload(self, sunlit):
        flight = Flight(sunlit, IN_PASS, power=False).fly(REVOLUTION_S)
        assert flight.seen["CMP_GPU0_P"][-1] == 0.0
        assert flight.seen["CMP_MODE"][-1] == "OFF"
        assert flight.seen["THM_MODE"][-1] == "STANDBY"
        assert flight.seen["THM_RADIATOR_T"][-1] > -45

    def test_continues_from_a_snapshot(self, sunlit):
        flight = Flight(sunlit, IN_PASS, job=True).fly(600)
        again = Flight(sunlit, IN_PASS)
        again.platform.restore(flight.platform.snapshot())
        assert again.platform.snapshot() == flight.platform.snapshot()
        again.fly(60)  # the restored units are units, not numbers


class TestPower:
    def test_sheds_loads_before_the_battery_is_empty_and_comes_back_later(self):
        power = Power(charge_fraction=0.5)

        def dark(seconds):
            for _ in range(seconds // 10):
                power.step(10, sunlit_fraction=0, sun_angle_deg=3, load_w=1500, payload_w=700)

        dark(1200)
        assert power.mode == "LOAD_SHED"
        dark(2400)
        assert power.mode == "SAFE"
        dark(36_000)
        assert power.charge_fraction == 0.0
        for _ in range(2000):
            power.step(10, sunlit_fraction=1, sun_angle_deg=3, load_w=700, payload_w=0)
        assert power.mode == "SUNLIT"
        assert power.charge_fraction > 0.9
