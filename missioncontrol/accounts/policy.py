"""Who may do what: the table below, which a person can read, and nothing else.

A role is held for an organisation. Each action concerns somebody:

* ``anybody``: every member of the consortium may see it;
* ``spacecraft``: the organisation that operates the spacecraft;
* ``member``: the organisation that the thing belongs to;
* ``mission``: the organisations that operate the mission, whoever asks.

An action with ``yes`` in the last column takes a person who has proved within
the last five minutes who they are (``missioncontrol.accounts.step_up``).
"""

from __future__ import annotations

from collections.abc import Collection
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from missioncontrol.kernel.errors import NotPermittedError

if TYPE_CHECKING:
    from missioncontrol.accounts.models import Membership, Operator, Organisation


class Role(StrEnum):
    """What somebody is for an organisation."""

    OPERATOR = "operator"
    APPROVER = "approver"
    FLIGHT_DYNAMICS = "flight_dynamics"
    PAYLOAD_MEMBER = "payload_member"
    STATION_PROVIDER = "station_provider"
    AUDITOR = "auditor"
    ADMINISTRATOR = "administrator"

    @property
    def label(self) -> str:
        return self.value.replace("_", " ")


class Concern(StrEnum):
    """Whose business an action is."""

    ANYBODY = "anybody"
    SPACECRAFT = "spacecraft"
    MEMBER = "member"
    MISSION = "mission"


class Action(StrEnum):
    """What somebody asks for."""

    AUDIT_VIEW = "audit.view"
    CONTACT_VIEW = "contact.view"
    ORGANISATION_VIEW = "organisation.view"
    WITNESS_VIEW = "witness.view"
    TELEMETRY_VIEW = "telemetry.view"
    ALARM_ACKNOWLEDGE = "alarm.acknowledge"
    CONTACT_CANCEL = "contact.cancel"
    CONTACT_WINDOW_RECOMPUTE = "contact_window.recompute"
    CONTACT_REQUEST_VIEW = "contact_request.view"
    CONTACT_REQUEST_MANAGE = "contact_request.manage"
    OUTAGE_DECLARE = "outage.declare"
    RESERVATION_VIEW = "reservation.view"
    RESERVATION_GIVE_BACK = "reservation.give_back"
    PLAN_VIEW = "plan.view"
    PLAN_PROPOSE = "plan.propose"
    PLAN_APPROVE = "plan.approve"
    PLAN_PUBLISH = "plan.publish"
    CALENDAR_FEED_MANAGE = "calendar_feed.manage"
    TELECOMMAND_VIEW = "telecommand.view"
    TELECOMMAND_SUBMIT = "telecommand.submit"
    TELECOMMAND_APPROVE = "telecommand.approve"
    TRANSFER_CANCEL = "transfer.cancel"
    JOB_VIEW = "job.view"
    JOB_SUBMIT = "job.submit"
    JOB_CANCEL = "job.cancel"
    OPENING_VIEW = "opening.view"
    OPENING_ERASE = "opening.erase"
    ACCOUNT_VIEW = "account.view"
    ACCOUNT_MANAGE = "account.manage"
    TOKEN_VIEW = "token.view"  # noqa: S105  # an action's name, no secret
    TOKEN_MANAGE = "token.manage"  # noqa: S105
    WEBHOOK_VIEW = "webhook.view"
    WEBHOOK_MANAGE = "webhook.manage"
    SINGLE_SIGN_ON_MANAGE = "single_sign_on.manage"
    CLOCK_SET = "clock.set"
    LOG_VERIFY = "log.verify"
    MISSION_LOAD = "mission.load"
    PROCESS_VIEW = "process.view"
    WITNESS_MANAGE = "witness.manage"


# The columns: OPErator, APProver, FLIght dynamics, PAYload member, STAtion provider,
# AUDitor, ADMinistrator.
_TABLE: Final = """
action                    concerns    OPE  APP  FLI  PAY  STA  AUD  ADM  confirmed
audit.view                anybody      x    x    x    x    x    x    x   -
contact.view              anybody      x    x    x    x    x    x    x   -
organisation.view         anybody      x    x    x    x    x    x    x   -
witness.view              anybody      x    x    x    x    x    x    x   -
telemetry.view            spacecraft   x    x    x    .    .    .    .   -
alarm.acknowledge         spacecraft   x    .    .    .    .    .    .   -
contact.cancel            spacecraft   x    .    x    .    .    .    .   -
contact_window.recompute  spacecraft   x    .    x    .    .    .    .   -
contact_request.view      member       x    x    x    x    .    x    .   -
contact_request.manage    member       x    .    x    x    .    .    .   -
outage.declare            member       x    .    x    .    x    .    .   -
reservation.view          member       x    x    x    .    x    x    .   -
reservation.give_back     mission      x    .    x    .    .    .    .   -
plan.view                 mission      x    x    x    .    .    x    .   -
plan.propose              mission      x    .    x    .    .    .    .   -
plan.approve              mission      x    x    .    .    .    .    .   yes
plan.publish              mission      x    .    x    .    .    .    .   yes
calendar_feed.manage      member       x    x    x    x    x    x    x   -
telecommand.view          spacecraft   x    x    x    .    .    x    .   -
telecommand.submit        spacecraft   x    .    .    .    .    .    .   -
telecommand.approve       spacecraft   x    x    .    .    .    .    .   yes
transfer.cancel           spacecraft   x    .    .    .    .    .    .   -
job.view                  member       x    x    .    x    .    x    .   -
job.submit                member       x    .    .    x    .    .    .   -
job.cancel                member       x    .    .    x    .    .    .   -
opening.view              member       x    x    .    x    .    x    x   -
opening.erase             member       .    .    .    .    .    .    x   yes
account.view              member       .    .    .    .    .    x    x   -
account.manage            member       .    .    .    .    .    .    x   yes
token.view                member       .    .    .    .    .    x    x   -
token.manage              member       .    .    .    .    .    .    x   yes
webhook.view              member       x    .    .    x    .    x    x   -
webhook.manage            member       .    .    .    x    .    .    x   yes
single_sign_on.manage     member       .    .    .    .    .    .    x   yes
clock.set                 mission      x    .    .    .    .    .    .   -
log.verify                mission      x    .    .    .    .    x    x   -
mission.load              mission      .    .    .    .    .    .    x   yes
process.view              mission      x    x    x    .    .    .    x   -
witness.manage            mission      .    .    .    .    .    .    x   yes
"""


def _read_table(text: str) -> list[tuple[Action, Concern, frozenset[Role], bool]]:
    head, *lines = (line.split() for line in text.strip().splitlines())
    columns = dict(zip(head[2:-1], Role, strict=True))
    if any(not role.value.upper().startswith(name) for name, role in columns.items()):
        raise ValueError(f"the columns {', '.join(columns)} are not the roles in their order")
    rows = []
    for name, concern, *marks, confirmed in lines:
        granted = frozenset(
            role for role, mark in zip(columns.values(), marks, strict=True) if mark == "x"
        )
        rows.append((Action(name), Concern(concern), granted, confirmed == "yes"))
    if sorted(row[0] for row in rows) != sorted(Action):
        raise ValueError("every action has one line in the table")
    return rows


_ROWS: Final = _read_table(_TABLE)
CONCERNS: Final = {action: concern for action, concern, _, _ in _ROWS}
GRANTED_TO: Final = {action: roles for action, _, roles, _ in _ROWS}
TAKES_CONFIRMATION: Final = frozenset(action for action, _, _, confirmed in _ROWS if confirmed)


def actions_of(roles: Collection[Role]) -> frozenset[Action]:
    """Return what at least one of *roles* grants."""
    return frozenset(action for action, granted in GRANTED_TO.items() if granted & set(roles))


def grants(
    memberships: Collection[Membership], action: Action, organisation: Organisation | None = None
) -> bool:
    """Return whether roles held grant *action*.

    Args:
        memberships: The roles held, each with its organisation.
        action: What is asked.
        organisation: Whose object it is. ``None`` asks whether any
            organisation grants it (to show or hide a menu entry).
    """
    held = [each for each in memberships if Role(each.role) in GRANTED_TO[action]]
    concern = CONCERNS[action]
    if concern is Concern.MISSION:
        return any(each.organisation.operates_the_mission for each in held)
    if concern is Concern.ANYBODY or organisation is None:
        return bool(held)
    return any(each.organisation_id == organisation.pk for each in held)


def may(operator: Operator, action: Action, organisation: Organisation | None = None) -> bool:
    """Return whether a role of *operator*, who must be active, grants *action*; see ``grants``."""
    return operator.is_active and grants(operator.roles_held(), action, organisation)


def require(operator: Operator, action: Action, organisation: Organisation | None = None) -> None:
    """Refuse unless *operator* may do *action*.

    Raises:
        NotPermittedError: no role grants it; the text names who could.
    """
    if not may(operator, action, organisation):
        raise refusal(operator, action, organisation)


def refusal(
    operator: Operator, action: Action, organisation: Organisation | None
) -> NotPermittedError:
    """Return the error for somebody whose roles do not grant *action*, to be raised."""
    roles = ", ".join(role.label for role in Role if role in GRANTED_TO[action])
    where = ""
    if CONCERNS[action] is Concern.MISSION:
        where = " for an organisation that operates the mission"
    elif organisation is not None:
        where = f" for {organisation}"
    return NotPermittedError(
        f"{operator} may not do {action.value}{where}. It takes the role {roles}; "
        "an administrator of the organisation can give it."
    )
