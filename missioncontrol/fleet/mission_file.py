"""The mission file: organisations, stations, spacecraft and clock of one installation.

No Django: the simulator reads the same file. The text is YAML; ``parse_mission``
returns models that hold only what is allowed, or raises one error that lists
every wrong field. Unknown fields are refused, so that a slip of the pen in an
optional field is found too.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from itertools import pairwise
from typing import Annotated, Any, Final, Literal, Self

import yaml
from lxml import etree
from pydantic import (
    AwareDatetime,
    Field,
    PrivateAttr,
    ValidationError,
    field_validator,
    model_validator,
)

from missioncontrol.fleet.ephemeris import OemEphemeris, OmmElements, TleElements
from missioncontrol.fleet.mission_errors import FieldProblem, MissionFileError, problems_of, shown
from missioncontrol.fleet.mission_references import duplicates, rows_of, unknown_references
from missioncontrol.fleet.profiles import AnyLinkProfile, CfdpProfile, LinkProfile, Section
from missioncontrol.fleet.telecommands import TelecommandDefinition

__all__ = ["MissionFile", "MissionFileError", "parse_mission"]

ReadAttachment = Callable[[str], str]

Name = Annotated[
    str,
    Field(
        pattern=r"^[A-Z0-9][A-Z0-9-]{0,39}$",
        description="capital letters, digits and -, 40 characters at most",
    ),
]
Slug = Annotated[
    str,
    Field(
        pattern=r"^[a-z0-9][a-z0-9-]{0,59}$",
        description="small letters, digits and -, 60 characters at most",
    ),
]
Title = Annotated[str, Field(min_length=1, max_length=120, description="1 to 120 characters")]
HorizonKnot = Annotated[list[float], Field(min_length=2, max_length=2)]

OrganisationKind = Literal[
    "operator",
    "rocket_maker",
    "satellite_maker",
    "chip_producer",
    "ai_laboratory",
    "station_provider",
    "research_institute",
    "insurer",
]
SpacecraftPhase = Literal["LEOP", "COMMISSIONING", "NOMINAL", "CONTINGENCY", "DISPOSAL"]

_TCP_LINK: Final = re.compile(r"^tcp://(?P<host>[A-Za-z0-9.-]+|\[[0-9a-fA-F:]+\]):(?P<port>\d+)$")
_HIGHEST_PORT: Final = 65_535


class MissionEntry(Section):
    name: Slug
    title: Title


class ClockEntry(Section):
    """Where mission time starts and how fast it runs: 1 in flight, more in a rehearsal."""

    start: AwareDatetime
    factor: float = Field(gt=0, le=1000)


class OrganisationEntry(Section):
    slug: Slug
    name: Title
    kind: OrganisationKind


class AntennaEntry(Section):
    """One antenna; ``link`` is how the ground segment reaches it."""

    name: Name
    link: str
    setup_s: int = Field(ge=0, le=3600)
    teardown_s: int = Field(ge=0, le=3600)

    @field_validator("link")
    @classmethod
    def _link_is_known(cls, link: str) -> str:
        match = _TCP_LINK.match(link)
        if link == "simulator" or (match and 0 < int(match["port"]) <= _HIGHEST_PORT):
            return link
        raise ValueError("simulator, or tcp://HOST:PORT, e.g. tcp://192.0.2.7:18400")


class StationEntry(Section):
    """A ground station on the WGS84 ellipsoid; longitude counts east."""

    name: Name
    title: Title
    latitude_deg: float = Field(ge=-90, le=90)
    longitude_deg: float = Field(ge=-180, le=180)
    height_m: float = Field(ge=-500, le=9000)
    mask_deg: float = Field(ge=0, lt=90)
    # Knots (azimuth, elevation) in degrees, straight lines between them, round the circle.
    horizon_mask: list[HorizonKnot] = Field(default_factory=list)
    owner: Slug
    leased: bool
    antennas: list[AntennaEntry] = Field(min_length=1, description="at least one antenna")

    @field_validator("horizon_mask")
    @classmethod
    def _knots_go_round(cls, knots: list[list[float]]) -> list[list[float]]:
        azimuths = [azimuth for azimuth, _ in knots]
        in_order = all(a < b for a, b in pairwise(azimuths))
        if not in_order or not all(0 <= azimuth < 360 for azimuth in azimuths):
            raise ValueError("azimuths from 0 to less than 360, each greater than the one before")
        if not all(0 <= elevation < 90 for _, elevation in knots):
            raise ValueError("elevations from 0 to less than 90")
        return knots


class MissionProfileEntry(Section):
    """How much time a contact has around it, and how short it may be."""

    name: Slug
    pre_pass_s: int = Field(ge=0, le=3600)
    post_pass_s: int = Field(ge=0, le=3600)
    minimum_contact_s: int = Field(ge=1, le=7200)


class SpacecraftEntry(Section):
    name: Name
    ccsds_id: int = Field(ge=0, le=1023, description="spacecraft identifier, 0 to 1023")
    phase: SpacecraftPhase
    operator: Slug
    ephemerides: list[
        Annotated[TleElements | OmmElements | OemEphemeris, Field(discriminator="kind")]
    ] = Field(default_factory=list)
    relays: list[Name] = Field(default_factory=list)
    relay_links: int = Field(default=0, ge=0, le=1000)
    link_profile: AnyLinkProfile
    cfdp_profile: CfdpProfile | None = None
    mission_profiles: list[MissionProfileEntry] = Field(default_factory=list)
    telemetry_dictionary: str = Field(
        pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$",
        description="the name of an XTCE file beside the mission file",
    )
    telecommands: list[TelecommandDefinition] = Field(default_factory=list)

    @model_validator(mode="after")
    def _sections_fit_the_link(self) -> Self:
        """A spacecraft that is flown needs more than a source of recorded packets has."""
        flown = isinstance(self.link_profile, LinkProfile)
        if not flown and (self.telecommands or self.cfdp_profile is not None):
            raise ValueError(
                "a spacecraft whose link_profile is space_packets has no forward link: "
                "leave out telecommands and cfdp_profile"
            )
        needed = ("cfdp_profile", "ephemerides", "mission_profiles")
        absent = [name for name in needed if not getattr(self, name)]
        if flown and absent:
            raise ValueError(
                f"a spacecraft whose link_profile is tm_tc_frames needs {' and '.join(absent)}"
            )
        return self

    @model_validator(mode="after")
    def _uplink_apids_are_apart(self) -> Self:
        if not isinstance(self.link_profile, LinkProfile):
            return self
        files_up = self.link_profile.apids.files_up
        for telecommand in self.telecommands:
            if telecommand.apid == files_up:
                raise ValueError(
                    f"{telecommand.name} has the APID {files_up} of the files sent up "
                    "(link_profile.apids.files_up); give it another"
                )
        return self


class MissionFile(Section):
    """A whole mission file, checked. ``attachment`` gives the files it names."""

    mission: MissionEntry
    clock: ClockEntry | None = None  # without it mission time is UTC: in flight
    organisations: list[OrganisationEntry] = Field(min_length=1)
    stations: list[StationEntry]
    spacecraft: list[SpacecraftEntry]
    _attachments: dict[str, str] = PrivateAttr(default_factory=dict)
    _sha256: str = PrivateAttr(default="")

    @property
    def sha256(self) -> str:
        """Return the digest of the text that was parsed, in hex."""
        return self._sha256

    def attachment(self, name: str) -> str:
        """Return the text of a file that the mission file names."""
        return self._attachments[name]


def parse_mission(text: str, read_attachment: ReadAttachment) -> MissionFile:
    """Return the mission that *text* describes.

    Args:
        text: YAML.
        read_attachment: Returns the text of a file beside the mission file;
            raises ``OSError`` or ``UnicodeDecodeError`` when it cannot.

    Raises:
        MissionFileError: Something is wrong; it lists every wrong field.
    """
    document = _load_yaml(text)
    problems: list[FieldProblem] = []
    mission: MissionFile | None = None
    try:
        mission = MissionFile.model_validate(document)
    except ValidationError as error:
        problems += problems_of(error, MissionFile)
    attachments, missing = _read_dictionaries(document, read_attachment)
    problems += [*duplicates(document), *unknown_references(document), *missing]
    if mission is None or problems:
        raise MissionFileError(problems)
    mission._attachments.update(attachments)
    mission._sha256 = hashlib.sha256(text.encode()).hexdigest()
    return mission


class _MissionLoader(yaml.SafeLoader):
    """YAML's safe loader, but ON, OFF, YES and NO are words, and no key stands twice."""


_MissionLoader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:bool"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_MissionLoader.add_implicit_resolver(
    "tag:yaml.org,2002:bool", re.compile(r"^(?:true|false)$"), list("tf")
)


def _mapping(loader: _MissionLoader, node: yaml.MappingNode) -> dict[Any, Any]:
    keys = [key.value for key, _ in node.value]
    for index, (key, _) in enumerate(node.value):
        if key.value in keys[:index]:
            raise yaml.MarkedYAMLError(
                problem=f"the field {key.value} stands here a second time",
                problem_mark=key.start_mark,
            )
    loader.flatten_mapping(node)
    return loader.construct_mapping(node, deep=True)


_MissionLoader.add_constructor("tag:yaml.org,2002:map", _mapping)


def _load_yaml(text: str) -> dict[str, Any]:
    try:
        document = yaml.load(text, Loader=_MissionLoader)  # noqa: S506  # a SafeLoader  # nosec B506
    except yaml.YAMLError as error:
        raise MissionFileError([_syntax_problem(error)]) from error
    if not isinstance(document, dict):
        fields = ", ".join(MissionFile.model_fields)
        raise MissionFileError(
            [FieldProblem("mission file", shown(document), f"a mapping with the fields {fields}")]
        )
    return document


def _syntax_problem(error: yaml.YAMLError) -> FieldProblem:
    place = "mission file"
    mark = getattr(error, "problem_mark", None)
    if mark is not None:
        place = f"line {mark.line + 1}, column {mark.column + 1}"
    return FieldProblem(
        place, getattr(error, "problem", None) or str(error), "YAML, each field once"
    )


def _read_dictionaries(
    document: dict[str, Any], read_attachment: ReadAttachment
) -> tuple[dict[str, str], list[FieldProblem]]:
    """Return the dictionaries by file name, and a problem for each that cannot be used."""
    texts: dict[str, str] = {}
    problems = []
    for path, spacecraft in rows_of(document, "spacecraft"):
        name = spacecraft.get("telemetry_dictionary")
        if not isinstance(name, str) or name in texts:
            continue
        try:
            texts[name] = read_attachment(name)
            etree.fromstring(
                texts[name].encode(), etree.XMLParser(resolve_entities=False, no_network=True)
            )
        except (OSError, UnicodeDecodeError):
            allowed = "an XTCE file beside the mission file; none of that name can be read there"
        except etree.XMLSyntaxError as error:
            allowed = f"an XTCE file; this one is no XML: {error}"
        else:
            continue
        problems.append(FieldProblem(f"{path}.telemetry_dictionary", shown(name), allowed))
    return texts, problems
