"""What the simulator is told when it starts: flags, and settings of its environment."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from missioncontrol.simulator.link_faults import FaultRates


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    mission: Path
    host: str
    port: int
    state_dir: Path
    clock_url: str | None  # None: a clock of its own, from clock_start
    clock_start: datetime | None
    factor: float
    seed: int
    rates: FaultRates
    latency_s: float


def parse_options(arguments: Sequence[str], environment: Mapping[str, str]) -> Options:
    """Return the options; flags win over the environment. Exits with a message on a bad one."""
    parser = _parser(environment)
    given = parser.parse_args(arguments)
    host, _, port = given.listen.rpartition(":")
    if not host or not port.isdigit() or int(port) > 65_535:
        parser.error(f"--listen {given.listen!r} is not HOST:PORT, e.g. 127.0.0.1:18400")
    if given.clock_url is None and given.clock_start is None:
        parser.error("give --clock-url (the /health of mission control) or --clock-start")
    if not 0 < given.factor <= 1000:
        parser.error(f"--factor {given.factor:g}; give more than 0, at most 1000")
    try:
        rates = FaultRates(
            frame_loss=given.frame_loss,
            cltu_loss=given.cltu_loss,
            bit_error_rate=given.bit_error_rate,
        )
    except ValueError as error:
        parser.error(str(error))
    return Options(
        mission=given.mission,
        host=host.strip("[]"),
        port=int(port),
        state_dir=given.state_dir,
        clock_url=None if given.clock_start is not None else given.clock_url,
        clock_start=given.clock_start,
        factor=given.factor,
        seed=given.seed,
        rates=rates,
        latency_s=max(0.0, given.latency_ms / 1000.0),
    )


def _parser(environment: Mapping[str, str]) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m missioncontrol.simulator",
        description="Simulate the spacecraft and ground stations of a mission file.",
    )
    parser.add_argument("--mission", type=Path, required=True, help="the mission file")
    parser.add_argument("--listen", default="127.0.0.1:18400", help="HOST:PORT of all antennas")
    parser.add_argument("--state-dir", type=Path, required=True, help="where state is kept")
    parser.add_argument("--clock-url", help="mission control's /health, followed for its clock")
    parser.add_argument("--clock-start", type=_instant, help="run a clock of its own from here")
    parser.add_argument("--factor", type=float, default=1.0, help="mission seconds in a second")

    def setting(name: str, convert: type[int] | type[float], default: float, what: str) -> None:
        variable = f"SIMULATOR_{name.upper().replace('-', '_')}"
        # argparse converts a default that is text, and refuses a wrong one by the flag's name.
        parser.add_argument(
            f"--{name}",
            type=convert,
            default=environment.get(variable) or str(default),
            help=f"{what}; default: {variable}, or {default:g}",
        )

    setting("seed", int, 0, "of noise and link faults")
    setting("frame-loss", float, 0.0, "chance of losing a telemetry frame")
    setting("cltu-loss", float, 0.0, "chance of losing a CLTU")
    setting("bit-error-rate", float, 0.0, "chance of turning a bit, both ways")
    setting("latency-ms", float, 5.0, "of the network between station and mission control")
    return parser


def _instant(text: str) -> datetime:
    instant = datetime.fromisoformat(text)
    if instant.tzinfo is None:
        raise argparse.ArgumentTypeError(f"{text!r} has no zone; e.g. 2026-12-01T12:00:00Z")
    return instant.astimezone(UTC)
