from __future__ import annotations

import pytest
from pydantic import ValidationError

from tests.unit.missioncontrol.fleet.demo_mission import document, parse
from uplink.commanding.definitions import (
    UnknownTelecommandError,
    get_definition,
    parse_definitions,
)

[DD1] = parse(document()).spacecraft
ROWS = [telecommand.model_dump(mode="json") for telecommand in DD1.telecommands]


class TestParseDefinitions:
    def test_returns_what_the_mission_file_held(self):
        assert list(parse_definitions(ROWS).values()) == list(DD1.telecommands)

    def test_raises_on_a_row_that_the_mission_file_would_not_let_through(self):
        with pytest.raises(ValidationError, match="function_code"):
            parse_definitions([{**ROWS[0], "function_code": 256}])


class TestGetDefinition:
    def test_returns_the_one_asked_for(self):
        assert get_definition(ROWS, "PING").function_code == 1

    def test_names_what_there_is(self):
        with pytest.raises(
            UnknownTelecommandError,
            match=r"no telecommand 'PONG'\. Defined are: PAYLOAD_POWER, PING, RUN_JOB, SET",
        ):
            get_definition(ROWS, "PONG")

    def test_says_that_there_is_none(self):
        with pytest.raises(UnknownTelecommandError, match="Defined are: none"):
            get_definition([], "PING")
