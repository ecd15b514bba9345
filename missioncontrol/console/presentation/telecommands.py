from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from missioncontrol.accounts.models import Operator
from missioncontrol.accounts.policy import GRANTED_TO, Action, Role
from missioncontrol.console.access import Viewer
from missioncontrol.console.presentation.steps import Milestone, Step, way
from missioncontrol.fleet.models import Spacecraft
from missioncontrol.fleet.telecommands import (
    INTEGER_RANGES,
    ArgumentDefinition,
    TelecommandDefinition,
)
from uplink.commanding.models import Telecommand
from uplink.commanding.packets import ArgumentProblem, describe

_STATE: Final = Telecommand.State
_ENDED_BADLY: Final = {_STATE.REJECTED, _STATE.FAILED, _STATE.EXPIRED}
_KINDS: Final = {
    **dict.fromkeys(INTEGER_RANGES, "integer"),
    "float32": "float",
    "enum": "choice",
    "octets": "octets",
    "string": "text",
}
_HAZARD: Final = (
    "sent at a wrong moment it can harm the spacecraft. The second operator must confirm that "
    "the hazard was checked."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ArgumentRow:
    """One argument of a telecommand, with its value."""

    name: str
    value: object
    unit: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TelecommandRow:
    """A telecommand and what this viewer may do with it."""

    pk: int
    name: str
    spacecraft: str
    arguments: list[ArgumentRow]
    state: str
    hazardous: bool
    submitted_by: str
    timeline: list[Step]
    note: str
    contact_id: int | None
    may_approve: bool
    may_reject: bool
    refusal: str


def telecommand_row(telecommand: Telecommand, viewer: Viewer) -> TelecommandRow:
    """Return one telecommand as *viewer* sees it."""
    organisation = telecommand.spacecraft.organisation
    waits = telecommand.state == _STATE.SUBMITTED
    own = telecommand.submitted_by == viewer.operator
    approver = viewer.may(Action.TELECOMMAND_APPROVE, organisation)
    stoppable = telecommand.state in {_STATE.SUBMITTED, _STATE.APPROVED}
    return TelecommandRow(
        pk=telecommand.pk,
        name=telecommand.name,
        spacecraft=telecommand.spacecraft.name,
        arguments=_arguments(telecommand),
        state=telecommand.state,
        hazardous=telecommand.hazardous,
        submitted_by=_person(telecommand.submitted_by) or telecommand.approval_policy,
        timeline=timeline(telecommand),
        note=note_of(telecommand),
        contact_id=telecommand.contact_id,
        may_approve=waits and approver and not own,
        may_reject=stoppable and (own or approver),
        refusal=_refusal(own=own, approver=approver) if waits else "",
    )


def _refusal(*, own: bool, approver: bool) -> str:
    if own:
        return "You submitted it. A second operator must approve it."
    if not approver:
        roles = [role.label for role in Role if role in GRANTED_TO[Action.TELECOMMAND_APPROVE]]
        return f"Approving takes the role {' or '.join(roles)}."
    return ""


def _arguments(telecommand: Telecommand) -> list[ArgumentRow]:
    units = {row["name"]: row.get("unit", "") for row in telecommand.definition["arguments"]}
    return [
        ArgumentRow(name=name, value=value, unit=units.get(name, ""))
        for name, value in telecommand.arguments.items()
    ]


def timeline(telecommand: Telecommand) -> list[Step]:
    """Return how far a telecommand has come, from the wish to the last report."""
    approved_by = _person(telecommand.approved_by) or telecommand.approval_policy
    milestones = [
        Milestone("submitted", telecommand.submitted_at, _person(telecommand.submitted_by)),
        Milestone("approved", telecommand.approved_at, approved_by),
        Milestone("released", telecommand.released_at),
        Milestone("radiated", telecommand.radiated_at),
        Milestone("accepted", telecommand.accepted_at),
        Milestone("started", telecommand.started_at),
        Milestone("completed", telecommand.completed_at),
    ]
    failed = telecommand.state in _ENDED_BADLY
    last = max(milestone.at for milestone in milestones if milestone.at is not None)
    return way(
        milestones,
        ended_badly_at=(telecommand.rejected_at or last) if failed else None,
        over=failed or telecommand.state == _STATE.COMPLETED,
    )


def note_of(telecommand: Telecommand) -> str:
    """Say why it is where it is, and what it belongs to."""
    parts = []
    if telecommand.origin:
        parts.append(f"Belongs to {telecommand.origin.replace(':', ' ')}.")
    if telecommand.state == _STATE.REJECTED:
        who = _person(telecommand.rejected_by)
        parts.append(f"Rejected by {who}: {telecommand.rejection_reason}")
    elif telecommand.failure:
        parts.append(telecommand.failure)
    elif telecommand.state == _STATE.APPROVED:
        parts.append("Goes up in the next pass.")
    return " ".join(parts)


def _person(operator: Operator | None) -> str:
    return (operator.display_name or operator.username) if operator is not None else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """One label of an enumerated argument."""

    value: str
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ArgumentField:
    """One argument in the form."""

    name: str
    label: str
    kind: str
    unit: str
    minimum: float | None
    maximum: float | None
    step: str
    choices: list[Choice]
    value: str
    help: str
    error: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TelecommandForm:
    """The form of one telecommand."""

    name: str
    description: str
    hazardous: bool
    hazard: str
    spacecraft: str
    arguments: list[ArgumentField]
    errors: list[str]


def telecommand_form(
    definition: TelecommandDefinition,
    spacecraft: Spacecraft,
    *,
    given: Mapping[str, Any] | None = None,
    problems: tuple[ArgumentProblem, ...] = (),
    error: str = "",
) -> TelecommandForm:
    """Return the form of *definition*, after a refusal with what was given.

    Args:
        definition: The telecommand.
        spacecraft: Whom it is for.
        given: Values by argument name.
        problems: What is wrong with single arguments.
        error: What is wrong otherwise.
    """
    wrong = {problem.argument: f"Allowed: {problem.allowed}." for problem in problems}
    fields = [
        _field(argument, str((given or {}).get(argument.name, "")), wrong.get(argument.name, ""))
        for argument in definition.arguments
    ]
    return TelecommandForm(
        name=definition.name,
        description=definition.description,
        hazardous=definition.hazardous,
        hazard=_HAZARD,
        spacecraft=spacecraft.name,
        arguments=fields,
        errors=[error] if error else [],
    )


def _field(argument: ArgumentDefinition, value: str, error: str) -> ArgumentField:
    kind = _KINDS[argument.type]
    is_integer = kind == "integer"
    bounded = is_integer or argument.min is not None or argument.max is not None
    low, high = argument.limits() if kind in {"integer", "float"} and bounded else (None, None)
    if kind == "text":
        high = argument.length
    return ArgumentField(
        name=argument.name,
        label=argument.name,
        kind=kind,
        unit=argument.unit,
        minimum=low,
        maximum=high,
        step="1" if is_integer else "any",
        choices=[Choice(value=label, label=label) for label in argument.values or {}],
        value=value,
        help="" if kind in {"integer", "float", "choice"} else f"{describe(argument)}.",
        error=error,
    )
