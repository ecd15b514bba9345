"""Roles and rights in words, as pages show them beside their names."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from missioncontrol.accounts.policy import (
    CONCERNS,
    TAKES_CONFIRMATION,
    Action,
    Concern,
    Role,
)

ROLE_WORDS: Final = {
    Role.OPERATOR: "flies the spacecraft: telecommands, passes, alarms; submits jobs",
    Role.APPROVER: "is the second person: approves telecommands that others ask for",
    Role.FLIGHT_DYNAMICS: "looks after the orbit: contact windows, passes, telemetry",
    Role.PAYLOAD_MEMBER: "submits jobs and reads their results; looks after webhooks",
    Role.STATION_PROVIDER: "sees the passes over the consortium's stations",
    Role.AUDITOR: "reads accounts, tokens, telecommands, jobs and the log; changes nothing",
    Role.ADMINISTRATOR: "gives roles, invites people, makes tokens, sets up single sign-on",
}

ACTION_WORDS: Final = {
    Action.AUDIT_VIEW: "read the consortium log",
    Action.CONTACT_VIEW: "see passes and stations",
    Action.ORGANISATION_VIEW: "see the members",
    Action.WITNESS_VIEW: "see the log's witnesses",
    Action.TELEMETRY_VIEW: "see telemetry and alarms",
    Action.ALARM_ACKNOWLEDGE: "acknowledge alarms",
    Action.CONTACT_CANCEL: "cancel passes",
    Action.CONTACT_WINDOW_RECOMPUTE: "compute contact windows anew",
    Action.CONTACT_REQUEST_VIEW: "see contact requests",
    Action.CONTACT_REQUEST_MANAGE: "ask for contacts",
    Action.OUTAGE_DECLARE: "declare outages of own antennas and spacecraft",
    Action.RESERVATION_VIEW: "see reservations at station providers",
    Action.RESERVATION_GIVE_BACK: "give back reservations that nobody asked for",
    Action.PLAN_VIEW: "see plans",
    Action.PLAN_PROPOSE: "propose plans, declare outages of all",
    Action.PLAN_APPROVE: "approve plans",
    Action.PLAN_PUBLISH: "publish plans",
    Action.CALENDAR_FEED_MANAGE: "make and revoke calendars",
    Action.TELECOMMAND_VIEW: "see telecommands",
    Action.TELECOMMAND_SUBMIT: "ask for telecommands",
    Action.TELECOMMAND_APPROVE: "approve telecommands",
    Action.TRANSFER_CANCEL: "cancel file transfers",
    Action.JOB_VIEW: "see jobs and their results",
    Action.JOB_SUBMIT: "submit jobs",
    Action.JOB_CANCEL: "cancel jobs",
    Action.OPENING_VIEW: "read what own log entries keep sealed",
    Action.OPENING_ERASE: "erase what own log entries keep sealed",
    Action.ACCOUNT_VIEW: "see accounts and roles",
    Action.ACCOUNT_MANAGE: "make accounts, give roles",
    Action.TOKEN_VIEW: "see API tokens",
    Action.TOKEN_MANAGE: "make and revoke API tokens of others",
    Action.WEBHOOK_VIEW: "see webhooks",
    Action.WEBHOOK_MANAGE: "set up webhooks",
    Action.SINGLE_SIGN_ON_MANAGE: "set up single sign-on",
    Action.CLOCK_SET: "set a rehearsal's clock",
    Action.LOG_VERIFY: "have the log verified",
    Action.MISSION_LOAD: "load a mission file",
    Action.PROCESS_VIEW: "see the processes",
    Action.WITNESS_MANAGE: "register witnesses",
}

_CONCERN_WORDS: Final = {
    Concern.ANYBODY: "Of every member",
    Concern.SPACECRAFT: "On the organisation's spacecraft",
    Concern.MEMBER: "In the organisation",
    Concern.MISSION: "On the mission",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ScopeChoice:
    """A right that a token can carry."""

    name: str
    words: str
    takes_confirmation: bool
    chosen: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ScopeGroup:
    """The rights that concern the same objects."""

    title: str
    choices: list[ScopeChoice]


def scope_groups(rights: Collection[Action], chosen: Collection[str]) -> list[ScopeGroup]:
    """Return *rights* by whom they concern, in the policy table's order; those *chosen* ticked."""
    groups = []
    for concern, title in _CONCERN_WORDS.items():
        choices = [
            ScopeChoice(
                name=action.value,
                words=ACTION_WORDS[action],
                takes_confirmation=action in TAKES_CONFIRMATION,
                chosen=action.value in chosen,
            )
            for action in Action
            if action in rights and CONCERNS[action] is concern
        ]
        if choices:
            groups.append(ScopeGroup(title=title, choices=choices))
    return groups
