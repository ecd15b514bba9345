"""Who may do what: one table that a person can read.

A role is held for an organisation. What concerns the spacecraft itself belongs
to the organisation that operates it; what concerns a job belongs to the member
that submitted it.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Final

from missioncontrol.kernel.errors import NotPermittedError

if TYPE_CHECKING:
    from missioncontrol.accounts.models import Operator, Organisation


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


class Action(StrEnum):
    """What somebody asks for."""

    TELEMETRY_VIEW = "telemetry.view"
    ALARM_ACKNOWLEDGE = "alarm.acknowledge"
    CONTACT_VIEW = "contact.view"
    CONTACT_CANCEL = "contact.cancel"
    TELECOMMAND_VIEW = "telecommand.view"
    TELECOMMAND_SUBMIT = "telecommand.submit"
    TELECOMMAND_APPROVE = "telecommand.approve"
    TRANSFER_CANCEL = "transfer.cancel"
    JOB_VIEW = "job.view"
    JOB_SUBMIT = "job.submit"
    JOB_CANCEL = "job.cancel"
    AUDIT_VIEW = "audit.view"
    CLOCK_SET = "clock.set"
    MISSION_LOAD = "mission.load"
    TOKEN_CREATE = "token.create"  # noqa: S105  # an action's name, no secret
    ACCOUNT_MANAGE = "account.manage"


_EVERYBODY: Final = {Action.CONTACT_VIEW, Action.AUDIT_VIEW}

POLICY: Final[dict[Role, frozenset[Action]]] = {
    Role.OPERATOR: frozenset(
        {
            *_EVERYBODY,
            Action.TELEMETRY_VIEW,
            Action.ALARM_ACKNOWLEDGE,
            Action.CONTACT_CANCEL,
            Action.TELECOMMAND_VIEW,
            Action.TELECOMMAND_SUBMIT,
            Action.TELECOMMAND_APPROVE,
            Action.TRANSFER_CANCEL,
            Action.JOB_VIEW,
            Action.JOB_SUBMIT,
            Action.JOB_CANCEL,
            Action.CLOCK_SET,
        }
    ),
    Role.APPROVER: frozenset(
        {
            *_EVERYBODY,
            Action.TELEMETRY_VIEW,
            Action.TELECOMMAND_VIEW,
            Action.TELECOMMAND_APPROVE,
            Action.JOB_VIEW,
        }
    ),
    Role.FLIGHT_DYNAMICS: frozenset(
        {*_EVERYBODY, Action.TELEMETRY_VIEW, Action.CONTACT_CANCEL, Action.TELECOMMAND_VIEW}
    ),
    Role.PAYLOAD_MEMBER: frozenset(
        {*_EVERYBODY, Action.JOB_VIEW, Action.JOB_SUBMIT, Action.JOB_CANCEL}
    ),
    Role.STATION_PROVIDER: frozenset(_EVERYBODY),
    Role.AUDITOR: frozenset({*_EVERYBODY, Action.TELECOMMAND_VIEW, Action.JOB_VIEW}),
    Role.ADMINISTRATOR: frozenset(
        {*_EVERYBODY, Action.MISSION_LOAD, Action.TOKEN_CREATE, Action.ACCOUNT_MANAGE}
    ),
}


def may(operator: Operator, action: Action, organisation: Organisation | None = None) -> bool:
    """Return whether a role of *operator* grants *action*.

    Args:
        operator: Who acts; must be active.
        action: What is asked.
        organisation: Whose object it is. ``None`` asks whether any
            organisation grants it (to show or hide a menu entry).
    """
    if not operator.is_active:
        return False
    memberships = operator.memberships.all()
    if organisation is not None:
        memberships = memberships.filter(organisation=organisation)
    return any(action in POLICY[Role(membership.role)] for membership in memberships)


def require(operator: Operator, action: Action, organisation: Organisation | None = None) -> None:
    """Refuse unless *operator* may do *action*.

    Raises:
        NotPermittedError: no role grants it; the text names who could.
    """
    if may(operator, action, organisation):
        return
    roles = ", ".join(role.label for role, actions in POLICY.items() if action in actions)
    where = f" for {organisation}" if organisation is not None else ""
    raise NotPermittedError(
        f"{operator} may not do {action.value}{where}. It takes the role {roles}; "
        "an administrator of the organisation can give it."
    )
