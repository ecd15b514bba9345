"""How fast, how exact and how complete contact windows are: `make bench-windows`.

One core, real elements (the catalogue beside the checkout, see tests/vectors).
The last line is JSON:

* ``ratio_find_events``: time of Skyfield's ``find_events`` by ours, both timed
  in this run, turn and turn about: 24 satellites, 12 stations, 7 days;
* ``seconds_2000x12x7``: computing 2,000 satellites, 12 stations, 7 days;
* ``stored_s_2000x12x7``: the same through Celery with two workers, until all
  rows are committed in PostgreSQL; on the clock, so other work counts;
* ``max_error_ms``: greatest error of AOS and LOS by Skyfield's own ``altaz``, over
  the passes of the first figure;
* ``reference_missing``, ``reference_invented``: passes that Orekit has and we have
  not, and the reverse; ``reference_max_excess``: greatest error by its tolerance;
* ``brute_force_missing``: instants of a scan every second (200 satellites, 12
  stations, a day) whose pass is in no window of ours, or that ours say falsely
  are in one; in passes, not in instants;
* ``peak_mb_10000x100x1``: greatest memory of a process that computes 10,000
  satellites over 100 stations for a day, a few satellites at a time.

``relay_brute_force_missing`` is the same for windows between spacecraft: 20 low
ones over 4 relays in low and geostationary orbit, a scan every two seconds.

The first two are processor time of the one core, which other work on the machine
does not count towards; time on the clock is printed beside it.

PARTS names what is measured: ratio, fleet, reference, scan, relay, memory, stored;
default: all. A figure that was not measured is missing from the last line.
"""

from __future__ import annotations

import contextlib
import gzip
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

import numpy as np
from skyfield.api import EarthSatellite, wgs84
from skyfield.framelib import itrs

from missioncontrol.orbits.contact_windows import (
    ContactWindows,
    contact_windows_in_parts,
    find_contact_windows,
)
from missioncontrol.orbits.element_files import read_elements
from missioncontrol.orbits.elements import MeanElements
from missioncontrol.orbits.relay_windows import find_relay_windows
from missioncontrol.orbits.sites import Site
from missioncontrol.orbits.time_scale import packaged_time_scale
from tests.vectors import shared_file
from tests.vectors.contact_windows import deviations, load_reference, missing_and_invented

ROOT = Path(__file__).resolve().parents[2]
START = datetime(2026, 8, 12, tzinfo=UTC)
DAY = timedelta(days=1)
MASK_DEG = 5.0
CATALOGUE = "catalogue/active-2026-08-11.tle.gz"
LOW_ORBIT_REV_PER_DAY = 11.25
TURNS = 6  # of four satellites each
LONGEST_WAIT_S = 600.0


def main() -> None:
    """Measure the parts asked for, or be one of the processes that they start."""
    if len(sys.argv) > 1:
        ROLES[sys.argv[1]]()
        return
    figures: dict[str, float] = {}
    for part in os.environ.get("PARTS", ",".join(PARTS)).split(","):
        measured = PARTS[part]()
        print(f"{part}: {json.dumps(measured)}", flush=True)
        figures |= measured
    print(json.dumps(figures))


def on_one_core() -> None:
    """Keep this process, and what it starts, on one core."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})


# --- what is computed with ------------------------------------------------------------------


@cache
def catalogue() -> list[MeanElements]:
    """Return the real elements of all active satellites."""
    path = shared_file(CATALOGUE)
    if path is None:
        sys.exit(
            f"The real catalogue is not beside this checkout (../shared/{CATALOGUE}). "
            "Without it PARTS=reference can be measured, and nothing else."
        )
    with gzip.open(path, "rt") as file:
        return [one for one in read_elements(file.read()) if isinstance(one, MeanElements)]


def spread(elements: Sequence[MeanElements], count: int) -> list[MeanElements]:
    """Return some of the elements, evenly taken from all."""
    return [elements[index * len(elements) // count] for index in range(count)]


def low_orbits(count: int) -> list[MeanElements]:
    low = [one for one in catalogue() if one.mean_motion_rev_per_day > LOW_ORBIT_REV_PER_DAY]
    return spread(low, count)


def stations() -> list[Site]:
    """Return the twelve stations of the reference that are no test points."""
    reference = load_reference()
    return [reference.site(number, MASK_DEG) for number in sorted(reference.stations)[:12]]


# --- against find_events --------------------------------------------------------------------


def ratio() -> dict[str, float]:
    """Time both, a few satellites at a time, so that other work on the machine hits both."""
    on_one_core()
    elements, sites, scale = low_orbits(24), stations(), packaged_time_scale()
    satellites = [EarthSatellite(*one.tle_lines(), one.name, scale) for one in elements]
    windows = timed_windows(elements, sites)[1]  # warm: tables and time scales are read
    ours_s, theirs_s, events = [], 0.0, 0
    for turn in range(TURNS):
        ours_s.append(timed_windows(elements, sites)[0])
        began_s = time.process_time()
        events += count_events(satellites[turn::TURNS], sites)
        theirs_s += time.process_time() - began_s
    ours = float(np.median(ours_s))
    print(
        f"  {len(windows)} windows in {1000 * ours:.0f} ms (of {len(ours_s)} runs: "
        f"{1000 * min(ours_s):.0f} to {1000 * max(ours_s):.0f}); "
        f"{events} events in {theirs_s:.2f} s"
    )
    return {
        "ratio_find_events": round(theirs_s / ours, 1),
        "max_error_ms": round(max_error_ms(windows, satellites, sites), 4),
    }


def timed_windows(elements, sites) -> tuple[float, ContactWindows]:
    began_s = time.process_time()
    windows = find_contact_windows(
        elements=elements, sites=sites, start=START, end=START + 7 * DAY
    )
    return time.process_time() - began_s, windows


def count_events(satellites, sites) -> int:
    scale = packaged_time_scale()
    first, last = scale.from_datetime(START), scale.from_datetime(START + 7 * DAY)
    count = 0
    for satellite in satellites:
        for site in sites:
            _, events = satellite.find_events(topos(site), first, last, altitude_degrees=MASK_DEG)
            count += len(events)
    return count


def topos(site: Site):
    return wgs84.latlon(site.latitude_deg, site.longitude_deg, site.height_m)


def max_error_ms(windows: ContactWindows, satellites, sites) -> float:
    """Return by how much an edge misses the moment at which Skyfield sees the mask crossed."""
    worst = 0.0
    for number, satellite in enumerate(satellites):
        for place, site in enumerate(sites):
            here = (windows.satellite_index == number) & (windows.site_index == place)
            edges_s = np.concatenate(
                [
                    windows.aos_s[here & ~windows.clipped_start],
                    windows.los_s[here & ~windows.clipped_end],
                ]
            )
            if len(edges_s):
                before, at, after = (
                    elevation_deg(satellite, site, edges_s + shift) for shift in (-0.25, 0, 0.25)
                )
                error_s = (at - MASK_DEG) / ((after - before) / 0.5)
                worst = max(worst, float(np.abs(error_s).max()))
    return 1000.0 * worst


def elevation_deg(satellite, site: Site, at_s):
    at = packaged_time_scale().utc(START.year, START.month, START.day, 0, 0, at_s)
    return (satellite - topos(site)).at(at).altaz()[0].degrees


# --- the fleet ------------------------------------------------------------------------------


def fleet() -> dict[str, float]:
    """Compute the whole fleet once."""
    on_one_core()
    elements, sites = spread(catalogue(), 2000), stations()
    timed_windows(elements[:24], sites)
    began_s = time.perf_counter()
    seconds, windows = timed_windows(elements, sites)
    print(
        f"  {len(windows)} windows, {len(windows.refused)} satellites refused; "
        f"{time.perf_counter() - began_s:.2f} s on the clock"
    )
    return {"seconds_2000x12x7": round(seconds, 2)}


# --- against Orekit -------------------------------------------------------------------------


def against_reference() -> dict[str, float]:
    """Compare with every pass that Orekit computed."""
    reference = load_reference()
    computed = {key: reference.compute(key) for key in reference.passes_by_key()}
    missing, invented = missing_and_invented(reference, computed)
    excess = [
        deviation.excess
        for key, passes in reference.passes_by_key().items()
        for wanted in passes
        if wanted not in missing
        for deviation in deviations(reference, computed[key], wanted)
    ]
    print(f"  {len(reference.passes)} passes, {len(excess)} numbers compared")
    return {
        "reference_missing": len(missing),
        "reference_invented": len(invented),
        "reference_max_excess": round(max(excess), 3),
    }


# --- against a scan every second ------------------------------------------------------------


def scan() -> dict[str, float]:
    """Count passes of a scan, with Skyfield's positions, that our windows do not have.

    An instant within a millionth of a degree of the mask counts for neither.
    """
    elements, sites = spread(catalogue(), 200), stations()
    windows = find_contact_windows(elements=elements, sites=sites, start=START, end=START + DAY)
    scale = packaged_time_scale()
    at_s = np.arange(0.0, 86_401.0)
    times = scale.utc(START.year, START.month, START.day, 0, 0, at_s)
    seen = wrong = 0
    shortest = np.inf
    for number, one in enumerate(elements):
        satellite = EarthSatellite(*one.tle_lines(), one.name, scale)
        position_km = satellite.at(times).frame_xyz(itrs).km
        for place, site in enumerate(sites):
            sight = position_km - site.itrs_km()[:, np.newaxis]
            sine = (site.east_north_up()[2] @ sight) / np.linalg.norm(sight, axis=0)
            clearance = np.degrees(np.arcsin(sine)) - MASK_DEG
            here = (windows.satellite_index == number) & (windows.site_index == place)
            inside = within(at_s, windows.aos_s[here], windows.los_s[here])
            differ = (inside != (clearance > 0.0)) & (np.abs(clearance) > 1e-6)
            seen += runs(clearance > 0.0)
            wrong += runs(differ)
        shortest = min(shortest, duration_of_shortest(windows, number))
    print(
        f"  {seen} passes seen every second, {len(windows)} windows, the shortest {shortest:.2f} s"
    )
    return {"brute_force_missing": wrong}


def within(at_s, aos_s, los_s):
    """Return which instants lie in one of the intervals, which are in order."""
    if len(aos_s) == 0:
        return np.zeros(len(at_s), dtype=bool)
    which = np.searchsorted(aos_s, at_s, side="right") - 1
    return (which >= 0) & (at_s <= los_s[which])


def runs(flags) -> int:
    """Return how many stretches of true there are."""
    return int(flags[0]) + int((flags[1:] & ~flags[:-1]).sum())


def duration_of_shortest(windows: ContactWindows, number: int) -> float:
    here = windows.satellite_index == number
    return float((windows.los_s - windows.aos_s)[here].min(initial=np.inf))


# --- windows between spacecraft -------------------------------------------------------------


def relay() -> dict[str, float]:
    """Count windows of a scan that ours do not have, by the point of the line nearest to Earth."""
    ours = low_orbits(20)
    stationary = [one for one in catalogue() if 0.99 < one.mean_motion_rev_per_day < 1.01]
    relays = [*spread(stationary, 2), *low_orbits(7)[2:4]]
    began_s = time.perf_counter()
    windows = find_relay_windows(spacecraft=ours, relays=relays, start=START, end=START + DAY)
    took_s = time.perf_counter() - began_s
    at_s = np.arange(0.0, 86_401.0, 2.0)
    wrong = 0
    for number, one in enumerate(ours):
        for place, other in enumerate(relays):
            height = height_of_line_km(one, other, at_s)
            here = (windows.spacecraft_index == number) & (windows.relay_index == place)
            inside = within(at_s, windows.aos_s[here], windows.los_s[here])
            wrong += runs((inside != (height > 0.0)) & (np.abs(height) > 1e-3))
    print(f"  {len(windows)} windows in {took_s:.2f} s")
    return {"relay_brute_force_missing": wrong}


def height_of_line_km(one: MeanElements, other: MeanElements, at_s):
    """Return how far the line between two spacecraft stays above the layer of 100 km."""
    axes = np.array([6378.137, 6378.137, 6356.752314]) + 100.0
    first, second = (each.teme_states(START, at_s)[0] / axes for each in (one, other))
    along = second - first
    share = np.clip(-(first * along).sum(axis=1) / (along**2).sum(axis=1), 0.0, 1.0)
    nearest = first + share[:, np.newaxis] * along
    return (np.linalg.norm(nearest, axis=1) - 1.0) * axes[0]


# --- memory ---------------------------------------------------------------------------------


def memory() -> dict[str, float]:
    """Measure in a process of its own, whose greatest memory is this computation's."""
    ran = subprocess.run(
        [sys.executable, "-m", "tests.benchmarks.bench_windows", "memory"],
        cwd=ROOT,
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    note, last = ran.stdout.strip().splitlines()
    print(f"  {note}")
    return json.loads(last)


def compute_many() -> None:
    on_one_core()
    elements, sites = spread(catalogue(), 10_000), everywhere(100)
    before = peak_mb()
    began_s, count = time.perf_counter(), 0
    for part in contact_windows_in_parts(
        elements=elements, sites=sites, start=START, end=START + DAY
    ):
        count += len(part)
    took_s = time.perf_counter() - began_s
    print(f"{count} windows in {took_s:.1f} s; {before:.0f} MB before, elements included")
    print(json.dumps({"peak_mb_10000x100x1": round(peak_mb())}))


def everywhere(count: int) -> list[Site]:
    """Return sites spread evenly over the Earth: a Fibonacci lattice."""
    turn = 180.0 * (3.0 - 5.0**0.5)
    return [
        Site(
            name=f"SITE-{number}",
            latitude_deg=float(np.degrees(np.arcsin(1.0 - (2 * number + 1) / count))),
            longitude_deg=(number * turn + 180.0) % 360.0 - 180.0,
            height_m=0.0,
            mask_deg=MASK_DEG,
        )
        for number in range(count)
    ]


def peak_mb() -> float:
    """Return the greatest memory that this program has had, and not who started it."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024.0
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024.0


# --- stored ---------------------------------------------------------------------------------


def stored() -> dict[str, float]:
    """Let two workers compute and store the fleet in PostgreSQL."""
    from tests.journeys.distributed import redis_server
    from tests.postgresql import postgresql_server

    with (
        tempfile.TemporaryDirectory(prefix="bench-windows-") as folder,
        postgresql_server() as database_url,
        redis_server(Path(folder) / "broker") as redis_url,
    ):
        environment = {
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "DJANGO_SETTINGS_MODULE": "missioncontrol.settings",
            "VAR_DIR": folder,
            "DATABASE_URL": database_url,
            "REDIS_URL": redis_url,
            "LOG_LEVEL": "ERROR",
        }
        command(environment, "manage.py", "migrate", "--skip-checks", "--verbosity", "0")
        command(environment, "-m", "tests.benchmarks.bench_windows", "fill")
        with contextlib.ExitStack() as workers:
            for number in range(2):
                workers.enter_context(worker(environment, f"worker-{number}"))
            printed = command(environment, "-m", "tests.benchmarks.bench_windows", "keep")
    note, last = printed.strip().splitlines()
    print(f"  {note}")
    return json.loads(last)


def command(environment: dict[str, str], *arguments: str) -> str:
    ran = subprocess.run(
        [sys.executable, *arguments],
        cwd=ROOT,
        env=environment,
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    return ran.stdout


@contextlib.contextmanager
def worker(environment: dict[str, str], name: str) -> Iterator[None]:
    """Run a worker as the product starts it."""
    arguments = ["-m", "celery", "-A", "missioncontrol", "worker", "--loglevel", "ERROR"]
    arguments += ["--queues", "general,orbits", "--concurrency", "1"]
    arguments += ["--without-gossip", "--without-mingle", "--hostname", f"{name}@%h"]
    process = subprocess.Popen(
        [sys.executable, "-W", "ignore", *arguments],  # it warns of being root
        cwd=ROOT,
        env=environment,
        stdout=subprocess.DEVNULL,
    )
    try:
        yield
    finally:
        process.terminate()
        process.wait(timeout=30)


def fill() -> None:
    """Make the rows of the fleet and the stations."""
    import django

    django.setup()
    from missioncontrol.fleet.models import Antenna, Ephemeris, GroundStation, Spacecraft
    from tests import factories

    owner = factories.organisation()
    elements = spread(catalogue(), 2000)
    crafts = Spacecraft.objects.bulk_create(
        Spacecraft(
            name=f"SC-{number}",
            ccsds_id=number,
            phase=Spacecraft.Phase.NOMINAL,
            organisation=owner,
            link_profile={},
            cfdp_profile={},
            telemetry_dictionary="",
        )
        for number in range(len(elements))
    )
    Ephemeris.objects.bulk_create(
        Ephemeris(
            spacecraft=craft,
            kind=Ephemeris.Kind.TLE,
            name=one.name[:40],
            line1=one.tle_lines()[0],
            line2=one.tle_lines()[1],
            epoch=one.epoch,
            loaded_at=START,
        )
        for craft, one in zip(crafts, elements, strict=True)
    )
    for site in stations():
        station = GroundStation.objects.create(
            name=site.name,
            title=site.name,
            latitude_deg=site.latitude_deg,
            longitude_deg=site.longitude_deg,
            height_m=site.height_m,
            mask_deg=site.mask_deg,
            owner=owner,
        )
        Antenna.objects.create(
            station=station, name=site.name, link_url="simulator", setup_s=60, teardown_s=60
        )


def keep() -> None:
    """Have the windows computed, and wait until the last row is committed."""
    import django

    django.setup()
    from missioncontrol.celery import app
    from missioncontrol.contacts import services
    from missioncontrol.contacts.models import ContactWindow, WindowHorizon
    from missioncontrol.fleet.models import Spacecraft
    from missioncontrol.kernel.organisations import process_acts_for_everybody

    process_acts_for_everybody()
    while len(app.control.ping(timeout=1.0)) < 2:
        pass
    ids = list(Spacecraft.objects.order_by("pk").values_list("pk", flat=True))
    began_s = time.perf_counter()
    services.keep_horizon(spacecraft_ids=ids, start=START, horizon=7 * DAY, at=START)
    while WindowHorizon.objects.count() < len(ids):
        time.sleep(0.1)
        if time.perf_counter() - began_s > LONGEST_WAIT_S:
            sys.exit(f"Only {WindowHorizon.objects.count()} spacecraft after {LONGEST_WAIT_S} s.")
    took_s = time.perf_counter() - began_s
    print(f"{ContactWindow.objects.count()} rows of {len(ids)} spacecraft")
    print(json.dumps({"stored_s_2000x12x7": round(took_s, 1)}))


PARTS = {
    "ratio": ratio,
    "fleet": fleet,
    "reference": against_reference,
    "scan": scan,
    "relay": relay,
    "memory": memory,
    "stored": stored,
}
ROLES = {"memory": compute_many, "fill": fill, "keep": keep}


if __name__ == "__main__":
    main()
