"""The simulator's process. See ``--help``."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
from datetime import datetime
from pathlib import Path
from typing import Final

from missioncontrol.fleet.mission_errors import MissionFileError
from missioncontrol.fleet.mission_file import MissionFile, parse_mission
from missioncontrol.simulator.clock import ClockFollower, FollowedClock, MissionClock, SteadyClock
from missioncontrol.simulator.options import Options, parse_options
from missioncontrol.simulator.server import SimulatorServer
from missioncontrol.simulator.simulation import Simulation

_CLOCK_WAIT_S: Final = 0.1

logger = logging.getLogger("missioncontrol.simulator")


def main() -> int:
    """Run until a signal; return the exit code."""
    logging.basicConfig(
        level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s"
    )
    options = parse_options(sys.argv[1:], os.environ)
    try:
        mission = load_mission(options.mission)
    except (OSError, MissionFileError) as error:
        logger.error("%s: %s", options.mission, error)
        return 1
    return asyncio.run(_run(options, mission))


def load_mission(path: Path) -> MissionFile:
    """Return the mission in a file, with the files beside it.

    Raises:
        MissionFileError: It lists every wrong field.
        OSError: The file cannot be read.
    """
    return parse_mission(
        path.read_text(encoding="utf-8"),
        lambda name: (path.parent / name).read_text(encoding="utf-8"),
    )


async def _run(options: Options, mission: MissionFile) -> int:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    clock, follower = _make_clock(options)
    try:
        at = await _first_time(clock, stop)
        if at is None:
            return 0
        try:
            server = await _start(options, mission, clock, at)
        except (OSError, ValueError) as error:
            logger.error("the simulator cannot start: %s", error)
            return 1
        await server.run(stop)
        return 0
    finally:
        if follower is not None:
            follower.stop()


async def _start(
    options: Options, mission: MissionFile, clock: MissionClock, at: datetime
) -> SimulatorServer:
    simulation = Simulation(
        mission=mission,
        folder=options.state_dir,
        at=at,
        rates=options.rates,
        seed=options.seed,
    )
    server = SimulatorServer(simulation=simulation, clock=clock, latency_s=options.latency_s)
    await server.listen(options.host, options.port)
    return server


def _make_clock(options: Options) -> tuple[MissionClock, ClockFollower | None]:
    if options.clock_start is not None:
        return SteadyClock(options.clock_start, options.factor), None
    assert options.clock_url is not None
    clock = FollowedClock()
    follower = ClockFollower(options.clock_url, clock)
    follower.start()
    return clock, follower


async def _first_time(clock: MissionClock, stop: asyncio.Event) -> datetime | None:
    """Wait for mission time, as long as it takes; None when asked to stop before."""
    while not stop.is_set():
        at = clock.now()
        if at is not None:
            return at
        await asyncio.sleep(_CLOCK_WAIT_S)
    return None


if __name__ == "__main__":
    sys.exit(main())
