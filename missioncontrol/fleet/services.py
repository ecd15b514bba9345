from __future__ import annotations

import hashlib
from datetime import datetime
from itertools import pairwise
from typing import Any, Final, TypeVar

from django.db import models, transaction

from missioncontrol.accounts.models import Operator, Organisation
from missioncontrol.accounts.policy import Action, require
from missioncontrol.audit.services import append_entry
from missioncontrol.fleet.ephemeris import OemEphemeris, OmmElements, TleElements
from missioncontrol.fleet.mission_changes import MissionLoad, differences
from missioncontrol.fleet.mission_file import MissionFile, SpacecraftEntry, StationEntry
from missioncontrol.fleet.models import (
    Antenna,
    Ephemeris,
    GroundStation,
    Mission,
    MissionProfile,
    Spacecraft,
)
from missioncontrol.kernel import clock
from missioncontrol.kernel.dispatch import send_after_commit
from missioncontrol.kernel.errors import RefusedError
from missioncontrol.kernel.live import publish_after_commit
from missioncontrol.kernel.models import ClockAnchor
from missioncontrol.orbits.element_files import Unreadable, read_elements
from missioncontrol.orbits.elements import ElementsError
from missioncontrol.orbits.omm import omms_in
from missioncontrol.orbits.orbit_ephemeris import AnyTrajectory, OrbitEphemeris

# An entry of the log has at most 65,535 octets; the rest is in the file, by its digest.
_CHANGES_LOGGED: Final = 200

_Row = TypeVar("_Row", bound=models.Model)


class EphemerisRefusedError(RefusedError):
    """A text is not the elements of one spacecraft."""


class ClockRefusedError(RefusedError):
    """The mission clock cannot be set like this."""


@transaction.atomic
def load_mission(*, mission: MissionFile, actor: Operator | str, at: datetime) -> MissionLoad:
    """Bring the fleet's rows to what *mission* says, and start the clock of a new one.

    Loading the same file again changes nothing. What the file no longer names
    is kept, because contacts and telecommands refer to it, but is set inactive.
    A clock that runs already is left alone: mission time never jumps by a load.

    Args:
        mission: A checked mission file.
        actor: Who loads it.
        at: Moment of the load, UTC.

    Returns:
        What was created and changed; empty (false) when nothing was.

    Raises:
        NotPermittedError: *actor* is a person without the right ``mission.load``.
    """
    if isinstance(actor, Operator):
        require(actor, Action.MISSION_LOAD)
    load = _Load(MissionLoad(mission.mission.name), at)
    organisations = {
        entry.slug: load.store(
            Organisation, {"slug": entry.slug}, {"name": entry.name, "kind": entry.kind}
        )
        for entry in mission.organisations
    }
    for station in mission.stations:
        _load_station(load, station, organisations[station.owner])
    for spacecraft in mission.spacecraft:
        dictionary = mission.attachment(spacecraft.telemetry_dictionary)
        _load_spacecraft(load, spacecraft, organisations[spacecraft.operator], dictionary)
    _load_relays(load, mission)
    load.retire(Antenna, {row.name for station in mission.stations for row in station.antennas})
    load.retire(Spacecraft, {row.name for row in mission.spacecraft})
    _load_mission_row(load, mission)
    if load.report:
        Mission.objects.filter(name=mission.mission.name).update(loaded_at=at)
        _log(load.report, mission=mission, actor=actor, at=at)
    if mission.clock is not None and not ClockAnchor.objects.exists():
        clock.set_clock(mission_time=mission.clock.start, factor=mission.clock.factor)
    return load.report


@transaction.atomic
def load_ephemeris(
    *,
    spacecraft: str,
    text: str,
    actor: Operator | str,
    at: datetime,
    priority: int = 0,
    expires_at: datetime | None = None,
) -> Ephemeris:
    """Add elements or an ephemeris message, and have the windows of its spacecraft recomputed.

    What is loaded stays; which of them is in force is a matter of priority, and
    of equal ones the latest counts.

    Args:
        spacecraft: Its name.
        text: A TLE, an OMM (KVN, XML, JSON) or an OEM (KVN, XML): one set.
        actor: Who loads it.
        at: Moment of the load, UTC.
        priority: The highest is in force.
        expires_at: Not used from then on.

    Raises:
        Spacecraft.DoesNotExist: none has that name.
        NotPermittedError: *actor* is a person without the right ``mission.load``.
        EphemerisRefusedError: the text holds no set, several, or one that cannot be read.
    """
    if isinstance(actor, Operator):
        require(actor, Action.MISSION_LOAD)
    row = Spacecraft.objects.select_related("organisation").get(name=spacecraft)
    found = _one_trajectory(text)
    ephemeris = Ephemeris.objects.create(
        spacecraft=row,
        name=found.name[:40],
        epoch=found.epoch,
        priority=priority,
        expires_at=expires_at,
        loaded_at=at,
        **_as_stored(found, text),
    )
    append_entry(
        action="ephemeris.load",
        subject=f"ephemeris:{ephemeris.pk}",
        actor=actor,
        at=at,
        organisation=row.organisation.slug,
        details={
            "spacecraft": row.name,
            "kind": ephemeris.kind,
            "epoch": ephemeris.epoch.isoformat(),
            "priority": priority,
            "sha256": hashlib.sha256(text.encode()).hexdigest(),
        },
    )
    send_after_commit("missioncontrol.contacts.tasks.keep_horizon")
    return ephemeris


def _one_trajectory(text: str) -> AnyTrajectory:
    try:
        found = list(read_elements(text))
    except ElementsError as error:
        raise EphemerisRefusedError(f"Nothing was loaded. {error}") from error
    if len(found) != 1:
        raise EphemerisRefusedError(
            f"Nothing was loaded: the text holds {len(found)} sets of elements; give one."
        )
    if isinstance(found[0], Unreadable):
        raise EphemerisRefusedError(f"Nothing was loaded. {found[0].satellite}: {found[0].reason}")
    return found[0]


def _as_stored(found: AnyTrajectory, text: str) -> dict[str, Any]:
    if isinstance(found, OrbitEphemeris):
        return {"kind": Ephemeris.Kind.OEM, "oem": text}
    lines = [line.rstrip() for line in text.splitlines()]
    for line1, line2 in pairwise(lines):
        if line1.startswith("1 ") and line2.startswith("2 "):
            return {"kind": Ephemeris.Kind.TLE, "line1": line1, "line2": line2}
    return {"kind": Ephemeris.Kind.OMM, "omm": dict(omms_in(text)[0])}


@transaction.atomic
def set_clock_factor(*, factor: float, actor: Operator, at: datetime) -> None:
    """Let the clock of a rehearsal run *factor* times as fast as the wall's, from *at* on.

    Raises:
        NotPermittedError: *actor* has no role that may.
        ClockRefusedError: mission time is UTC (no rehearsal), or the factor is
            outside the limits.
    """
    require(actor, Action.CLOCK_SET)
    anchor = ClockAnchor.objects.select_for_update().filter(pk=1).first()
    if anchor is None:
        raise ClockRefusedError(
            "Mission time is UTC here; only the clock of a rehearsal can run faster or slower."
        )
    try:
        clock.set_clock(mission_time=at, factor=factor)
    except ValueError as error:
        raise ClockRefusedError(f"The clock was not changed: {error}.") from error
    append_entry(
        action="clock.set",
        subject="clock:mission",
        actor=actor,
        at=at,
        details={"factor": factor, "was": anchor.factor},
    )
    publish_after_commit({"type": "clock"})


class _Load:
    """Writes rows and notes what that changed."""

    def __init__(self, report: MissionLoad, at: datetime) -> None:
        self.report = report
        self.at = at

    def store(
        self,
        model: type[_Row],
        key: dict[str, Any],
        values: dict[str, Any],
        **only_at_creation: Any,
    ) -> _Row:
        row = model._default_manager.filter(**key).first()
        if row is None:
            self.note_created(model, next(iter(key.values())))
            return model._default_manager.create(**key, **values, **only_at_creation)
        self.update(row, next(iter(key.values())), values)
        return row

    def note_created(self, model: type[models.Model], name: object) -> None:
        self.report.created.append(f"{model._meta.verbose_name} {name}")

    def update(self, row: models.Model, name: object, values: dict[str, Any]) -> None:
        """Change the fields that differ."""
        changed = []
        for field, new in values.items():
            old = getattr(row, field)
            changes = list(differences(f"{row._meta.verbose_name} {name}: {field}", old, new))
            if changes:
                self.report.changed += changes
                setattr(row, field, new)
                changed.append(field)
        if changed:
            row.save(update_fields=changed)

    def retire(self, model: type[Antenna] | type[Spacecraft], named: set[str]) -> None:
        """Set inactive what the file does not name."""
        for row in model._default_manager.filter(active=True).exclude(name__in=named):
            self.update(row, row.name, {"active": False})


def _load_station(load: _Load, entry: StationEntry, owner: Organisation) -> None:
    values = entry.model_dump(mode="json", exclude={"name", "owner", "antennas"})
    station = load.store(GroundStation, {"name": entry.name}, {**values, "owner": owner})
    for antenna in entry.antennas:
        load.store(
            Antenna,
            {"name": antenna.name},
            {
                "station": station,
                "link_url": antenna.link,
                "setup_s": antenna.setup_s,
                "teardown_s": antenna.teardown_s,
                "active": True,
            },
        )


def _load_spacecraft(
    load: _Load, entry: SpacecraftEntry, organisation: Organisation, dictionary: str
) -> None:
    spacecraft = load.store(
        Spacecraft,
        {"name": entry.name},
        {
            "ccsds_id": entry.ccsds_id,
            "phase": entry.phase,
            "organisation": organisation,
            "link_profile": entry.link_profile.model_dump(mode="json"),
            "cfdp_profile": entry.cfdp_profile.model_dump(mode="json")
            if entry.cfdp_profile is not None
            else {},
            "telecommands": [row.model_dump(mode="json") for row in entry.telecommands],
            "telemetry_dictionary": dictionary,
            "relay_links": entry.relay_links,
            "active": True,
        },
    )
    for elements in entry.ephemerides:
        _load_elements(load, spacecraft, elements)
    for profile in entry.mission_profiles:
        values = profile.model_dump(exclude={"name"})
        load.store(MissionProfile, {"name": profile.name}, {**values, "spacecraft": spacecraft})


def _load_relays(load: _Load, mission: MissionFile) -> None:
    """Bring what can serve whom as a relay to what the file says."""
    rows = {row.name: row for row in Spacecraft.objects.filter(active=True)}
    for entry in mission.spacecraft:
        spacecraft = rows[entry.name]
        before = sorted(spacecraft.relays.values_list("name", flat=True))
        after = sorted(entry.relays)
        load.report.changed += differences(f"spacecraft {entry.name}: relays", before, after)
        if before != after:
            spacecraft.relays.set([rows[name] for name in after])


def _load_elements(
    load: _Load, spacecraft: Spacecraft, elements: TleElements | OmmElements | OemEphemeris
) -> None:
    """Add a set of elements; of one that is there, only its place in the order changes."""
    order = {
        "priority": elements.priority,
        "enabled": elements.enabled,
        "expires_at": elements.expires_at,
    }
    orbit: dict[str, Any] = {"kind": elements.kind, "name": elements.name}
    orbit |= {"line1": "", "line2": "", "omm": {}, "oem": ""}
    if isinstance(elements, TleElements):
        orbit |= {"line1": elements.line1, "line2": elements.line2}
    elif isinstance(elements, OmmElements):
        orbit["omm"] = elements.omm
    else:
        orbit["oem"] = elements.oem
    for row in Ephemeris.objects.filter(spacecraft=spacecraft):
        if all(getattr(row, field) == value for field, value in orbit.items()):
            load.update(row, f"{row.kind} {row.name}", order)
            return
    epoch = (
        elements.orbit_ephemeris().epoch
        if isinstance(elements, OemEphemeris)
        else elements.mean_elements().epoch
    )
    load.note_created(Ephemeris, f"{elements.kind} {elements.name} of {epoch:%Y-%m-%d %H:%MZ}")
    Ephemeris.objects.create(
        spacecraft=spacecraft, epoch=epoch, loaded_at=load.at, **orbit, **order
    )


def _load_mission_row(load: _Load, mission: MissionFile) -> None:
    load.store(
        Mission,
        {"name": mission.mission.name},
        {
            "title": mission.mission.title,
            "clock_start": mission.clock.start if mission.clock else None,
            "clock_factor": mission.clock.factor if mission.clock else None,
            "file_sha256": mission.sha256,
        },
        loaded_at=load.at,
    )


def _log(
    report: MissionLoad, *, mission: MissionFile, actor: Operator | str, at: datetime
) -> None:
    append_entry(
        action="mission.load",
        subject=f"mission:{report.mission}",
        actor=actor,
        at=at,
        details={
            "file_sha256": mission.sha256,
            "created": len(report.created),
            "changed": len(report.changed),
            "fields": [change.path for change in report.changed[:_CHANGES_LOGGED]],
        },
    )
