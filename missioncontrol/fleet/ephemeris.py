"""Orbits as the mission file carries them: TLE, OMM or OEM.

No Django. What the elements say is checked by ``missioncontrol.orbits``.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Literal, Self

from pydantic import AwareDatetime, Field, field_validator, model_validator

from missioncontrol.fleet.profiles import Section
from missioncontrol.orbits.elements import ElementsError, MeanElements
from missioncontrol.orbits.oem import ephemeris_from_oem
from missioncontrol.orbits.omm import elements_from_omm
from missioncontrol.orbits.orbit_ephemeris import OrbitEphemeris
from missioncontrol.orbits.tle import elements_from_tle


class _Elements(Section):
    """What all forms have: which set wins, and until when it may be used.

    The enabled, unexpired set of the highest priority is in force; the one
    loaded last wins a tie.
    """

    name: str = Field(min_length=1, max_length=40, description="1 to 40 characters")
    priority: int = Field(default=0, ge=0, le=100)
    enabled: bool = True
    expires_at: AwareDatetime | None = None


class TleElements(_Elements):
    """A two-line element set."""

    kind: Literal["TLE"]
    line1: str
    line2: str

    @model_validator(mode="after")
    def _can_be_read(self) -> Self:
        try:
            self.mean_elements()
        except ElementsError as error:
            raise ValueError(f"a TLE that can be read. {error}") from error
        return self

    def mean_elements(self) -> MeanElements:
        """Return the elements for propagation."""
        return elements_from_tle(self.name, self.line1, self.line2)


class OmmElements(_Elements):
    """An Orbit Mean-Elements Message as keywords and values (CCSDS 502.0-B-3, section 4)."""

    kind: Literal["OMM"]
    omm: dict[str, str | int | float]

    @field_validator("omm", mode="before")
    @classmethod
    def _epoch_is_text(cls, omm: object) -> object:
        """Turn the epoch that YAML has read as a time back into the message's text, UTC."""
        if not isinstance(omm, dict) or not isinstance(omm.get("EPOCH"), datetime):
            return omm
        epoch = omm["EPOCH"]
        if epoch.tzinfo is not None:
            epoch = epoch.astimezone(UTC).replace(tzinfo=None)
        return {**omm, "EPOCH": epoch.isoformat()}

    @model_validator(mode="after")
    def _can_be_read(self) -> Self:
        try:
            self.mean_elements()
        except ElementsError as error:
            raise ValueError(f"an OMM that can be read. {error}") from error
        return self

    def mean_elements(self) -> MeanElements:
        """Return the elements for propagation."""
        return elements_from_omm(self.omm)


class OemEphemeris(_Elements):
    """An Orbit Ephemeris Message as text, KVN or XML (CCSDS 502.0-B-3, section 5)."""

    kind: Literal["OEM"]
    oem: str

    @model_validator(mode="after")
    def _can_be_read(self) -> Self:
        try:
            self.orbit_ephemeris()
        except ElementsError as error:
            raise ValueError(f"an OEM that can be read. {error}") from error
        return self

    def orbit_ephemeris(self) -> OrbitEphemeris:
        """Return the ephemeris for interpolation."""
        return ephemeris_from_oem(self.oem)
