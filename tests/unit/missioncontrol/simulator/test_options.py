from __future__ import annotations

from datetime import UTC, datetime

import pytest

from missioncontrol.simulator.options import parse_options

NEEDED = ["--mission", "demo.yaml", "--state-dir", "state"]
CLOCK = ["--clock-url", "http://127.0.0.1:8000/health"]


class TestParseOptions:
    def test_has_a_good_link_by_default(self):
        options = parse_options([*NEEDED, *CLOCK], {})
        assert (options.host, options.port) == ("127.0.0.1", 18400)
        assert options.rates.frame_loss == options.rates.cltu_loss == 0.0
        assert options.latency_s == 0.005
        assert options.clock_url == CLOCK[1]

    def test_takes_faults_from_the_environment_and_prefers_flags(self):
        environment = {
            "SIMULATOR_FRAME_LOSS": "0.02",
            "SIMULATOR_CLTU_LOSS": "0.03",
            "SIMULATOR_BIT_ERROR_RATE": "1e-6",
            "SIMULATOR_SEED": "7",
            "SIMULATOR_LATENCY_MS": "12",
        }
        options = parse_options([*NEEDED, *CLOCK, "--cltu-loss", "0.5"], environment)
        assert options.rates.frame_loss == 0.02
        assert options.rates.cltu_loss == 0.5
        assert options.rates.bit_error_rate == 1e-6
        assert options.seed == 7
        assert options.latency_s == 0.012

    def test_runs_a_clock_of_its_own_where_a_start_is_given(self):
        options = parse_options(
            [*NEEDED, *CLOCK, "--clock-start", "2026-12-01T12:00:00Z", "--factor", "50"], {}
        )
        assert options.clock_url is None
        assert options.clock_start == datetime(2026, 12, 1, 12, tzinfo=UTC)
        assert options.factor == 50.0

    @pytest.mark.parametrize(
        ("arguments", "environment", "message"),
        [
            ([], {}, "give --clock-url"),
            ([*CLOCK, "--listen", "18400"], {}, "is not HOST:PORT"),
            ([*CLOCK, "--frame-loss", "2"], {}, "frame_loss is 2.0; give a chance"),
            (CLOCK, {"SIMULATOR_SEED": "x"}, "argument --seed: invalid int value: 'x'"),
            (["--clock-start", "2026-12-01"], {}, "has no zone"),
            (["--clock-start", "2026-12-01T12:00:00Z", "--factor", "0"], {}, "--factor 0"),
        ],
    )
    def test_says_what_is_wrong(self, arguments, environment, message, capsys):
        with pytest.raises(SystemExit):
            parse_options([*NEEDED, *arguments], environment)
        assert message in capsys.readouterr().err
