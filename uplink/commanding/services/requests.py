from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db import transaction

from missioncontrol.accounts.models import Operator
from missioncontrol.accounts.policy import Action, require
from missioncontrol.audit.models import AuditEntry
from missioncontrol.audit.services import append_entry
from missioncontrol.fleet.models import Spacecraft
from missioncontrol.fleet.telecommands import TelecommandDefinition
from missioncontrol.kernel.errors import RefusedError
from uplink.commanding.definitions import UnknownTelecommandError, get_definition
from uplink.commanding.models import Telecommand
from uplink.commanding.packets import ArgumentsError, ArgumentValue, check_arguments
from uplink.commanding.services.changes import advance, note

_STATE = Telecommand.State
_REASON_LENGTH = 200  # characters


class TelecommandRefusedError(RefusedError):
    """This telecommand cannot be asked for like this."""


class ApprovalRefusedError(RefusedError):
    """This person may not approve or reject this telecommand now."""


@transaction.atomic
def submit_telecommand(
    *,
    spacecraft: Spacecraft,
    name: str,
    arguments: Mapping[str, object],
    submitted_by: Operator,
    at: datetime,
    origin: str = "",
) -> Telecommand:
    """Ask for a telecommand; a second person must approve it before it is sent.

    Args:
        spacecraft: Whom it is for.
        name: Name of its definition in the mission file.
        arguments: Values by argument name (see ``packets.check_arguments``).
        submitted_by: Who asks.
        at: Moment of the request, UTC.
        origin: What it belongs to, e.g. ``job:17``; empty for an operator's own.

    Raises:
        NotPermittedError: *submitted_by* may not command this spacecraft.
        TelecommandRefusedError: no such telecommand, a wrong argument (each is
            named with its value and what is allowed), or a retired spacecraft.
    """
    require(submitted_by, Action.TELECOMMAND_SUBMIT, spacecraft.organisation)
    definition, checked = _checked(spacecraft, name, arguments)
    telecommand = _create(
        spacecraft, definition, checked, submitted_by=submitted_by, submitted_at=at, origin=origin
    )
    _log("telecommand.submit", telecommand, actor=submitted_by, at=at)
    note(telecommand, kind=_STATE.SUBMITTED, at=at, detail=f"by {submitted_by}")
    return telecommand


@transaction.atomic
def submit_by_policy(
    *,
    spacecraft: Spacecraft,
    name: str,
    arguments: Mapping[str, object],
    policy: str,
    at: datetime,
    origin: str = "",
) -> Telecommand:
    """Let a process issue a telecommand that its definition opens to policies.

    Args:
        spacecraft: Whom it is for.
        name: A definition with ``approval: policy``.
        arguments: Values by argument name.
        policy: Name of the policy, e.g. ``job-pipeline``; it stands in the log.
        at: Moment of the request, UTC.
        origin: What it belongs to, e.g. ``job:17``.

    Raises:
        TelecommandRefusedError: as in ``submit_telecommand``; or the definition
            asks for two persons.
    """
    if not policy:
        raise TelecommandRefusedError(f"{name} was not issued: the policy has no name.")
    definition, checked = _checked(spacecraft, name, arguments)
    if definition.approval != "policy":
        raise TelecommandRefusedError(
            f"{name} for {spacecraft} needs two persons; the policy {policy!r} may not issue it."
        )
    telecommand = _create(
        spacecraft, definition, checked, submitted_at=at, origin=origin, approval_policy=policy
    )
    entry = _log("telecommand.issue", telecommand, actor=f"process:{policy}", at=at)
    note(telecommand, kind=_STATE.SUBMITTED, at=at, detail=f"by the policy {policy}")
    advance(
        telecommand,
        states=[_STATE.SUBMITTED],
        kind=_STATE.APPROVED,
        at=at,
        detail=f"by the policy {policy}",
        state=_STATE.APPROVED,
        approved_at=at,
        approval_entry=entry,
    )
    return telecommand


@transaction.atomic
def approve_telecommand(*, telecommand_id: int, approver: Operator, at: datetime) -> Telecommand:
    """Record the second person's approval; the next contact releases the telecommand.

    Approving twice is refused, not ignored.

    Args:
        telecommand_id: Primary key.
        approver: The operator who clicked; must not be the submitter.
        at: Moment of the click, UTC.

    Raises:
        Telecommand.DoesNotExist: no such telecommand.
        ApprovalRefusedError: wrong state or same person.
        NotPermittedError: *approver* holds no role that may approve.
    """
    telecommand = _locked(telecommand_id)
    _require_state(telecommand, [_STATE.SUBMITTED], "approved")
    if approver == telecommand.submitted_by:
        raise ApprovalRefusedError(
            f"{telecommand} was submitted by {approver}. A second operator must approve it."
        )
    require(approver, Action.TELECOMMAND_APPROVE, telecommand.spacecraft.organisation)
    entry = _log("telecommand.approve", telecommand, actor=approver, at=at)
    advanced = advance(
        telecommand,
        states=[_STATE.SUBMITTED],
        kind=_STATE.APPROVED,
        at=at,
        detail=f"by {approver}",
        state=_STATE.APPROVED,
        approved_by=approver,
        approved_at=at,
        approval_entry=entry,
    )
    _refuse_unless(advanced, telecommand)
    return telecommand


@transaction.atomic
def reject_telecommand(
    *, telecommand_id: int, approver: Operator, reason: str, at: datetime
) -> Telecommand:
    """Stop a telecommand that has not been released; its submitter may do so too.

    Raises:
        Telecommand.DoesNotExist: no such telecommand.
        ApprovalRefusedError: wrong state, or no reason given.
        NotPermittedError: neither the submitter nor somebody who may approve.
    """
    telecommand = _locked(telecommand_id)
    states = [_STATE.SUBMITTED, _STATE.APPROVED]
    _require_state(telecommand, states, "rejected")
    if approver != telecommand.submitted_by:
        require(approver, Action.TELECOMMAND_APPROVE, telecommand.spacecraft.organisation)
    reason = reason.strip()
    if not 0 < len(reason) <= _REASON_LENGTH:
        raise ApprovalRefusedError(
            f"{telecommand} was not rejected: give a reason of 1 to {_REASON_LENGTH} "
            f"characters; this one has {len(reason)}."
        )
    _log("telecommand.reject", telecommand, actor=approver, at=at, reason=reason)
    advanced = advance(
        telecommand,
        states=states,
        kind=_STATE.REJECTED,
        at=at,
        detail=f"by {approver}: {reason}",
        state=_STATE.REJECTED,
        rejected_by=approver,
        rejected_at=at,
        rejection_reason=reason,
    )
    _refuse_unless(advanced, telecommand)
    return telecommand


def _checked(
    spacecraft: Spacecraft, name: str, arguments: Mapping[str, object]
) -> tuple[TelecommandDefinition, dict[str, ArgumentValue]]:
    if not spacecraft.active:
        raise TelecommandRefusedError(
            f"{spacecraft} is not in the mission file in force; it takes no telecommands."
        )
    try:
        definition = get_definition(spacecraft.telecommands, name)
        return definition, check_arguments(definition, arguments)
    except (UnknownTelecommandError, ArgumentsError) as error:
        raise TelecommandRefusedError(f"Not submitted for {spacecraft}: {error}") from error


def _create(
    spacecraft: Spacecraft,
    definition: TelecommandDefinition,
    arguments: dict[str, ArgumentValue],
    **fields: Any,
) -> Telecommand:
    return Telecommand.objects.create(
        spacecraft=spacecraft,
        name=definition.name,
        arguments=arguments,
        definition=definition.model_dump(mode="json"),
        hazardous=definition.hazardous,
        **fields,
    )


def _locked(telecommand_id: int) -> Telecommand:
    return (
        Telecommand.objects.select_for_update(of=("self",))
        .select_related("spacecraft__organisation", "submitted_by")
        .get(pk=telecommand_id)
    )


def _require_state(telecommand: Telecommand, states: Sequence[str], done: str) -> None:
    if telecommand.state not in states:
        raise ApprovalRefusedError(
            f"{telecommand} is {telecommand.state}; only {' or '.join(states)} can be {done}."
        )


def _refuse_unless(advanced: bool, telecommand: Telecommand) -> None:
    if not advanced:
        raise ApprovalRefusedError(
            f"{telecommand} was changed by somebody else at the same moment. Look again."
        )


def _log(
    action: str, telecommand: Telecommand, *, actor: Operator | str, at: datetime, reason: str = ""
) -> AuditEntry:
    details: dict[str, Any] = {
        "spacecraft": telecommand.spacecraft.name,
        "name": telecommand.name,
        "hazardous": telecommand.hazardous,
    }
    if telecommand.origin:
        details["origin"] = telecommand.origin
    if reason:
        details["reason"] = reason
    return append_entry(
        action=action,
        subject=f"telecommand:{telecommand.pk}",
        actor=actor,
        at=at,
        organisation=telecommand.spacecraft.organisation.slug,
        details=details,
        private={"arguments": telecommand.arguments},
    )
