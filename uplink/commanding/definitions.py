"""The telecommands of a spacecraft, read from its row.

Pure: takes the JSON list that ``Spacecraft.telecommands`` holds.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from missioncontrol.fleet.telecommands import TelecommandDefinition


class UnknownTelecommandError(LookupError):
    """The spacecraft has no telecommand of that name."""

    def __init__(self, name: str, known: Iterable[str]) -> None:
        self.name = name
        names = ", ".join(sorted(known)) or "none"
        super().__init__(f"There is no telecommand {name!r}. Defined are: {names}.")


def parse_definitions(rows: Iterable[Mapping[str, Any]]) -> dict[str, TelecommandDefinition]:
    """Return the definitions by name, in the order of *rows*.

    Raises:
        pydantic.ValidationError: a row is not what the mission file's check lets through.
    """
    definitions = (TelecommandDefinition.model_validate(row) for row in rows)
    return {definition.name: definition for definition in definitions}


def get_definition(rows: Iterable[Mapping[str, Any]], name: str) -> TelecommandDefinition:
    """Return the definition called *name*.

    Raises:
        UnknownTelecommandError: there is none.
    """
    definitions = parse_definitions(rows)
    if name not in definitions:
        raise UnknownTelecommandError(name, definitions)
    return definitions[name]
