"""A problem and its plan as one JSON document, and the digest that ties them together.

Instants are ISO 8601 in UTC with microseconds, durations seconds, names strings. The
digest is the SHA-256 of the problem's JSON with sorted keys and no spaces, so that who
reads a stored plan can tell whether it answers this problem.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import fields
from datetime import UTC, datetime
from typing import Any, Final

from missioncontrol.scheduling.solver.pins import Pin
from missioncontrol.scheduling.solver.plan import (
    Conflict,
    CongestionPrice,
    Plan,
    PlanMethod,
    ReasonCode,
    Unserved,
)
from missioncontrol.scheduling.solver.problem import (
    Antenna,
    Contact,
    ContactRequest,
    KeptContact,
    Member,
    MissionProfile,
    Opportunity,
    Outage,
    Problem,
    RequestKind,
)

FORMAT: Final = "orbital-mission-control/plan/1"
_TIMES: Final = frozenset({"begins", "ends", "earliest", "latest", "deadline"})


class DocumentError(ValueError):
    """The document is not one of ours; the text names the place."""


def problem_document(problem: Problem) -> dict[str, Any]:
    """Return a problem as JSON values."""
    return {
        "begins": _time(problem.begins),
        "ends": _time(problem.ends),
        "profiles": [_record(one) for one in problem.profiles],
        "antennas": [_record(one) for one in problem.antennas],
        "opportunities": [_opportunity(one) for one in problem.opportunities],
        "requests": [_record(one) for one in problem.requests],
        "members": [_record(one) for one in problem.members],
        "outages": [_record(one) for one in problem.outages],
        "kept": [
            {**_contact(one.contact), "bonus": one.bonus, "frozen": one.frozen}
            for one in problem.kept
        ],
        "pins": [_record(one) for one in problem.pins],
    }


def digest_of(document: dict[str, Any]) -> str:
    """Return the digest of a problem's document."""
    text = json.dumps(document, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"


def plan_document(
    problem: Problem, plan: Plan, *, posed: dict[str, Any] | None = None
) -> dict[str, Any]:
    """Return a problem and its plan as JSON values: all that a verifier needs.

    Args:
        problem: What was planned.
        plan: The answer.
        posed: The problem's document, where the caller has it already.
    """
    return {
        "format": FORMAT,
        "problem": posed or problem_document(problem),
        "plan": {
            "method": plan.method.value,
            "objective": plan.objective,
            "bonus": plan.bonus,
            "bound": plan.bound,
            "gap": plan.gap,
            "seed": plan.seed,
            "solver": plan.solver,
            "input_digest": plan.input_digest,
            "phases_s": plan.phases_s,
            "contacts": [_contact(one) for one in plan.contacts],
            "unserved": [
                {
                    "request": one.request,
                    "missing": one.missing,
                    "code": one.code.value,
                    "reason": one.reason,
                    "conflicts": [_record(conflict) for conflict in one.conflicts],
                }
                for one in plan.unserved
            ],
            "prices": [_record(one) for one in plan.prices],
        },
    }


def read_plan_document(document: dict[str, Any]) -> tuple[Problem, Plan]:
    """Return the problem and the plan of a document.

    Raises:
        DocumentError: Another format, or a part missing or of the wrong kind.
        ProblemError: The problem contradicts itself.
    """
    if document.get("format") != FORMAT:
        raise DocumentError(f"The format is {document.get('format')!r}; this reads {FORMAT!r}.")
    try:
        return read_problem(document["problem"]), _read_plan(document["plan"])
    except (KeyError, TypeError, ValueError) as error:
        if isinstance(error, DocumentError) or type(error).__name__ == "ProblemError":
            raise
        raise DocumentError(f"The document cannot be read: {error!r}.") from error


def read_problem(document: dict[str, Any]) -> Problem:
    """Return the problem of its document."""
    return Problem(
        begins=_instant(document["begins"]),
        ends=_instant(document["ends"]),
        profiles=_each(MissionProfile, document["profiles"]),
        antennas=_each(Antenna, document["antennas"]),
        opportunities=_each(Opportunity, document["opportunities"]),
        requests=_each(ContactRequest, document["requests"]),
        members=_each(Member, document["members"]),
        outages=_each(Outage, document["outages"]),
        kept=tuple(_kept(one) for one in document["kept"]),
        pins=_each(Pin, document.get("pins", ())),  # older documents have none
    )


def _read_plan(document: dict[str, Any]) -> Plan:
    return Plan(
        method=PlanMethod(document["method"]),
        contacts=_each(Contact, document["contacts"]),
        objective=document["objective"],
        bonus=document["bonus"],
        bound=document["bound"],
        seed=document["seed"],
        solver=document["solver"],
        input_digest=document["input_digest"],
        unserved=tuple(
            Unserved(
                request=one["request"],
                missing=one["missing"],
                code=ReasonCode(one["code"]),
                reason=one["reason"],
                conflicts=_each(Conflict, one["conflicts"]),
            )
            for one in document["unserved"]
        ),
        prices=_each(CongestionPrice, document["prices"]),
        phases_s=document["phases_s"],
    )


def _kept(record: dict[str, Any]) -> KeptContact:
    contact = {name: part for name, part in record.items() if name not in {"bonus", "frozen"}}
    return KeptContact(
        contact=_values(Contact, contact), bonus=record["bonus"], frozen=record["frozen"]
    )


def _each(kind: type[Any], records: Iterable[dict[str, Any]]) -> tuple[Any, ...]:
    return tuple(_values(kind, record) for record in records)


def _values(kind: type[Any], record: dict[str, Any]) -> Any:
    known = {field.name for field in fields(kind)}
    if not known >= record.keys():
        unknown = ", ".join(sorted(record.keys() - known))
        raise DocumentError(f"A {kind.__name__} has the unknown fields {unknown}.")
    return kind(**{name: _value(name, part) for name, part in record.items()})


def _value(name: str, part: Any) -> Any:
    if name in _TIMES and part is not None:
        return _instant(part)
    if name in {"path", "contacts"}:
        return tuple(part)
    if name == "antennas" and part is not None:
        return frozenset(part)
    return RequestKind(part) if name == "kind" else part


def _record(one: Any) -> dict[str, Any]:
    return {field.name: _plain(getattr(one, field.name)) for field in fields(one)}


# The next two are spelled out: there are many thousands of these.
def _contact(one: Contact) -> dict[str, Any]:
    return {
        "id": one.id,
        "request": one.request,
        "spacecraft": one.spacecraft,
        "path": list(one.path),
        "begins": _time(one.begins),
        "ends": _time(one.ends),
    }


def _opportunity(one: Opportunity) -> dict[str, Any]:
    return {
        "id": one.id,
        "spacecraft": one.spacecraft,
        "path": list(one.path),
        "begins": _time(one.begins),
        "ends": _time(one.ends),
        "quality": one.quality,
    }


def _plain(value: Any) -> Any:
    match value:
        case datetime():
            return _time(value)
        case RequestKind():
            return value.value
        case tuple():
            return list(value)
        case frozenset():
            return sorted(value)
        case _:
            return value


def _time(at: datetime) -> str:
    """Return a time as ISO 8601; by hand, since ``isoformat`` takes three times as long."""
    utc = at if at.tzinfo is UTC else at.astimezone(UTC)
    clock = (utc.hour, utc.minute, utc.second, utc.microsecond)
    return "%04d-%02d-%02dT%02d:%02d:%02d.%06dZ" % (utc.year, utc.month, utc.day, *clock)  # noqa: UP031


def _instant(text: str) -> datetime:
    at = datetime.fromisoformat(text)
    if at.tzinfo is None:
        raise DocumentError(f"The time {text} carries no zone; write UTC, e.g. {text}Z.")
    return at
