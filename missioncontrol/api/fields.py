"""The kinds of values that travel through the API, and how they are checked."""

from __future__ import annotations

import base64
import math
from datetime import UTC, datetime
from typing import Annotated, Any, Final

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    ValidationInfo,
    WithJsonSchema,
    model_validator,
)

MAX_PAGE: Final = 500
_EXAMPLE: Final = "2026-12-01T00:12:34.5Z"
# What can be asked about: days can be added to it without leaving the calendar.
_YEARS: Final = range(1970, 9999)
MAX_ROW: Final = 2**63 - 1  # what the database counts up to


def example(**fields: Any) -> ConfigDict:
    """Return the part of a model's configuration that shows an example in the description."""
    return ConfigDict(json_schema_extra={"examples": [fields]})


class Sent(BaseModel):
    """What a client sends: a field that nobody knows is refused, not ignored."""

    model_config = ConfigDict(extra="forbid")


class Asked(Sent):
    """What a client asks for in the query of an address.

    NinjaAPI hands over only the parameters that it knows; a misspelt filter
    would find everything.
    """

    @model_validator(mode="before")
    @classmethod
    def _with_unknown_parameters(cls, known: Any, info: ValidationInfo) -> Any:
        query = info.context["request"].GET if info.context else {}
        return {name: query[name] for name in query if name not in cls.model_fields} | known


def parse_instant(value: object) -> datetime:
    """Return an ISO 8601 time that says its zone, in UTC.

    Raises:
        ValueError: it is no time, or leaves open which zone is meant.
    """
    try:
        instant = datetime.fromisoformat(str(value))
        if instant.tzinfo is not None:
            return instant.astimezone(UTC)
    except (ValueError, OverflowError):
        raise ValueError(
            f"a time in ISO 8601 with its zone, e.g. {_EXAMPLE} "
            "(in an address write Z, or %2B for the + of an offset)"
        ) from None
    raise ValueError(f"a time with its zone; for UTC give {instant.isoformat()}Z")


def parse_asked_instant(value: object) -> datetime:
    """Return a time that is asked about; see ``parse_instant``.

    Raises:
        ValueError: it is no time, or outside the years that can be asked about.
    """
    instant = parse_instant(value)
    if instant.year not in _YEARS:
        raise ValueError(f"a time in the years {_YEARS[0]} to {_YEARS[-1]}")
    return instant


def utc_text(instant: datetime) -> str:
    """Return *instant* as the API writes times: UTC, ISO 8601, ending in Z."""
    return instant.astimezone(UTC).isoformat().replace("+00:00", "Z")


def decode_base64(value: object) -> bytes:
    """Return the octets behind base64 text.

    Raises:
        ValueError: it is none.
    """
    if not isinstance(value, str):
        raise ValueError("base64 text (RFC 4648 section 4)")  # noqa: TRY004  # pydantic's way
    try:
        return base64.b64decode(value, validate=True)
    except ValueError as error:  # also where a character is none of ASCII
        raise ValueError(f"base64 text (RFC 4648 section 4); this is none: {error}") from None


def finite(value: float | int | str | None) -> float | int | str | None:
    """Return *value* as JSON can carry it: NaN and the infinities become text."""
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return value


Instant = Annotated[
    datetime,
    BeforeValidator(parse_instant),
    PlainSerializer(utc_text, return_type=str),
    WithJsonSchema({"type": "string", "format": "date-time", "examples": [_EXAMPLE]}),
]
AskedInstant = Annotated[
    datetime,
    BeforeValidator(parse_asked_instant),
    PlainSerializer(utc_text, return_type=str),
    WithJsonSchema({"type": "string", "format": "date-time", "examples": [_EXAMPLE]}),
]
Octets = Annotated[
    bytes,
    BeforeValidator(decode_base64),
    WithJsonSchema({"type": "string", "contentEncoding": "base64"}),
]
# No control characters: no name has them, and PostgreSQL refuses NUL.
Text = Annotated[str, Field(max_length=160, pattern=r"^[^\x00-\x1f]*$")]
Sentence = Annotated[str, Field(max_length=300, pattern=r"^[^\x00-\x1f]*$")]
# What organisations and accounts are called in addresses.
Slug = Annotated[str, Field(pattern=r"^[a-zA-Z0-9_-]{1,60}$", examples=["ai-laboratory-1"])]
Username = Annotated[str, Field(pattern=r"^[^\x00-\x20/]{1,150}$", examples=["carol"])]
Flag = Annotated[bool, Field(strict=True)]  # 0 and "no" are no booleans of JSON
Number = Annotated[int, Field(ge=0, le=MAX_ROW)]
PageSize = Annotated[int, Field(ge=1, le=MAX_PAGE)]
Value = float | int | str | None
JsonObject = dict[str, Any]
