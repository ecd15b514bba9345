"""Signing in and out as the log tells of it, and the end of sessions."""

from __future__ import annotations

from datetime import datetime

from allauth.usersessions.models import UserSession
from django.db import transaction

from missioncontrol.accounts.models import Operator
from missioncontrol.audit.services import append_entry


@transaction.atomic
def note_sign_in(*, operator: Operator, method: str, at: datetime) -> None:
    """Log that somebody signed in; *method* is what they proved it with last."""
    _log("session.begin", operator, at, method=method)


@transaction.atomic
def note_sign_out(*, operator: Operator, at: datetime) -> None:
    """Log that somebody signed out."""
    _log("session.end", operator, at)


@transaction.atomic
def note_lockout(*, username: str, at: datetime) -> None:
    """Log that a name is locked for a while because of wrong passwords.

    Names that nobody has are not logged: what a stranger types is no fact, and
    may be a password typed into the wrong field.
    """
    operator = Operator.objects.filter(username=username).first()
    if operator is not None:
        _log("session.lock", operator, at, actor="process:sign-in")


@transaction.atomic
def note_password(*, operator: Operator, session_key: str, at: datetime) -> None:
    """Log that an account has a new password; its sessions but the one given end with the old one.

    Args:
        operator: Whose.
        session_key: Of the session that chose it; empty for an invitation.
        at: Moment of the change, UTC.
    """
    _end_sessions(operator, but=session_key)
    _log("operator.password", operator, at)


@transaction.atomic
def note_authenticator(*, operator: Operator, kind: str, is_new: bool, at: datetime) -> None:
    """Log that an account got or lost a second factor or a passkey."""
    _log(f"authenticator.{'add' if is_new else 'remove'}", operator, at, kind=kind)


@transaction.atomic
def end_session(*, operator: Operator, session_id: int, at: datetime) -> None:
    """End one of the operator's own sessions; its open pages are cut off within two seconds.

    Raises:
        UserSession.DoesNotExist: it is none of theirs, or over.
    """
    UserSession.objects.get(pk=session_id, user=operator).end()
    _log("session.end", operator, at)


@transaction.atomic
def end_other_sessions(*, operator: Operator, session_key: str, at: datetime) -> int:
    """End the operator's sessions but the one that asks; return how many ended.

    Their open pages are cut off within two seconds.
    """
    ended = _end_sessions(operator, but=session_key)
    if ended:
        _log("session.end", operator, at, others=str(ended))
    return ended


def end_all_sessions(operator: Operator) -> None:
    """End every session of an account, as part of closing it."""
    _end_sessions(operator, but="")


def _end_sessions(operator: Operator, *, but: str) -> int:
    sessions = list(UserSession.objects.filter(user=operator).exclude(session_key=but))
    for session in sessions:
        session.end()
    return len(sessions)


def _log(
    action: str,
    operator: Operator,
    at: datetime,
    *,
    actor: Operator | str | None = None,
    **details: str,
) -> None:
    append_entry(
        action=action,
        subject=f"operator:{operator.username}",
        actor=actor or operator,
        at=at,
        organisation=operator.home.slug if operator.home is not None else "",
        details=details,
    )
