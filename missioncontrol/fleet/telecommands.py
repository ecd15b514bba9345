"""The telecommands that a spacecraft understands, as the mission file defines them.

Pure. A telecommand packet carries ``function_code`` (one octet) and then the
arguments, big-endian, in the order of the definition.
"""

from __future__ import annotations

from typing import Annotated, Final, Literal, Self

from pydantic import Field, model_validator

from missioncontrol.fleet.profiles import Apid, Seconds, Section

ArgumentType = Literal[
    "uint8", "uint16", "uint32", "int16", "int32", "float32", "enum", "octets", "string"
]

# The closed interval of each integer type.
INTEGER_RANGES: Final[dict[str, tuple[int, int]]] = {
    "uint8": (0, 0xFF),
    "uint16": (0, 0xFFFF),
    "uint32": (0, 0xFFFF_FFFF),
    "int16": (-0x8000, 0x7FFF),
    "int32": (-0x8000_0000, 0x7FFF_FFFF),
}
FLOAT32_MAX: Final = 3.4028234663852886e38

_OPTIONS_OF: Final[dict[str, frozenset[str]]] = {
    **{name: frozenset({"min", "max", "unit"}) for name in (*INTEGER_RANGES, "float32")},
    "enum": frozenset({"values"}),
    "octets": frozenset({"length"}),
    "string": frozenset({"length"}),
}
_REQUIRED_BY: Final[dict[str, str]] = {"enum": "values", "octets": "length", "string": "length"}

IDENTIFIER_PATTERN: Final = r"^[A-Z][A-Z0-9_]{0,39}$"
Identifier = Annotated[
    str,
    Field(
        pattern=IDENTIFIER_PATTERN,
        description="capital letters, digits and _, a letter first, 40 characters at most",
    ),
]
Octet = Annotated[int, Field(ge=0, le=255)]


class ArgumentDefinition(Section):
    """One argument: its type decides which of the other fields it has.

    Numbers have ``min``, ``max`` and ``unit``; an enum has ``values`` (one
    octet each); octets have an exact ``length``; a string has its greatest
    ``length`` in UTF-8 octets and travels after an octet that holds its own.
    """

    name: Identifier
    type: ArgumentType
    min: float | int | None = None
    max: float | int | None = None
    unit: str = Field(default="", max_length=20)
    values: dict[Identifier, Octet] | None = None
    length: int | None = Field(default=None, ge=1, le=255)

    @model_validator(mode="after")
    def _options_belong_to_the_type(self) -> Self:
        options = ("min", "max", "values", "length")
        given = {name for name in options if getattr(self, name) is not None}
        given |= {"unit"} if self.unit else set()
        foreign = sorted(given - _OPTIONS_OF[self.type])
        if foreign:
            raise ValueError(
                f"an argument of type {self.type} has no {' and no '.join(foreign)}; "
                f"it may have {', '.join(sorted(_OPTIONS_OF[self.type]))}"
            )
        required = _REQUIRED_BY.get(self.type)
        if required is not None and not getattr(self, required):
            raise ValueError(f"an argument of type {self.type} needs {required}")
        return self

    @model_validator(mode="after")
    def _limits_fit_the_type(self) -> Self:
        if self.type == "enum":
            self._check_values()
        elif self.type in INTEGER_RANGES or self.type == "float32":
            low, high = self.limits()
            floor, ceiling = _range_of(self.type)
            if not floor <= low <= high <= ceiling:
                raise ValueError(
                    f"min {low} and max {high} of a {self.type} must be in order "
                    f"and within {floor} to {ceiling}"
                )
        return self

    def _check_values(self) -> None:
        values = self.values or {}
        if len(set(values.values())) < len(values):
            raise ValueError("two labels of an enum must not have one value")

    def limits(self) -> tuple[float, float]:
        """Return the least and the greatest value of a numeric argument."""
        floor, ceiling = _range_of(self.type)
        return (
            floor if self.min is None else self.min,
            ceiling if self.max is None else self.max,
        )


def _range_of(name: str) -> tuple[float, float]:
    return INTEGER_RANGES.get(name, (-FLOAT32_MAX, FLOAT32_MAX))


class VerificationWindows(Section):
    """How long the spacecraft may take to report, in seconds of mission time."""

    accept_s: Seconds
    complete_s: Seconds


class TelecommandDefinition(Section):
    """One telecommand: where it goes on board, what it carries, who must agree."""

    name: Identifier
    apid: Apid
    function_code: Octet
    description: str = Field(min_length=1, max_length=200)
    hazardous: bool = False
    approval: Literal["two_person", "policy"] = "two_person"
    arguments: list[ArgumentDefinition] = Field(default_factory=list, max_length=32)
    verification: VerificationWindows

    @model_validator(mode="after")
    def _arguments_have_names_of_their_own(self) -> Self:
        names = [argument.name for argument in self.arguments]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"the argument {twice[0]} is defined twice")
        return self

    @model_validator(mode="after")
    def _hazardous_needs_two_persons(self) -> Self:
        if self.hazardous and self.approval != "two_person":
            raise ValueError("a hazardous telecommand needs approval: two_person")
        return self
