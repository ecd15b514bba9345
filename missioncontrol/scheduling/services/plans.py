from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final

from django.conf import settings
from django.db import transaction

from missioncontrol.accounts.models import Operator, Organisation
from missioncontrol.accounts.policy import Action, require
from missioncontrol.audit.services import append_entry
from missioncontrol.kernel.live import publish_after_commit
from missioncontrol.kernel.organisations import acting_for_everybody
from missioncontrol.scheduling import selectors
from missioncontrol.scheduling.models import Plan
from missioncontrol.scheduling.plan_pins import Wish, problem_of_wish
from missioncontrol.scheduling.plan_problem import (
    build_problem,
    request_text,
    windows_known_until,
)
from missioncontrol.scheduling.plan_shares import share_rows
from missioncontrol.scheduling.plan_verifier import PlanVerificationError, verify_plan
from missioncontrol.scheduling.services.errors import PlanRefusedError
from missioncontrol.scheduling.solver.difference import Change, difference
from missioncontrol.scheduling.solver.document import (
    digest_of,
    plan_document,
    problem_document,
    read_plan_document,
)
from missioncontrol.scheduling.solver.pinning import PinError
from missioncontrol.scheduling.solver.plan import Plan as Answer
from missioncontrol.scheduling.solver.planning import Search, greedy_plan, make_plan
from missioncontrol.scheduling.solver.problem import Contact, Problem, ProblemError
from missioncontrol.scheduling.solver.repair import freeze_first, moving_few, repair_plan

MAX_HORIZON: Final = timedelta(days=14)
REASSIGNED: Final = "REASSIGNED"  # a change beside those of ``ChangeKind``
_MIN_HORIZON: Final = timedelta(minutes=30)
# What a booked contact brings by staying, as a share of what it is worth.
_KEEPING: Final = 0.5
_KEEPING_IN_REPAIR: Final = 1.0
_MOST_MOVED: Final = 2  # by a repair, of the contacts that no outage hits
_PROCESS: Final = "process:planner"
_State = Plan.State


def propose_plan(
    *,
    organisation: Organisation,
    horizon: timedelta,
    actor: Operator,
    at: datetime,
    repairs: bool = False,
    wish: Wish | None = None,
) -> Plan:
    """Make a plan at once, from now on: greedy, or where it repairs, moving what must move.

    It holds for the requests of all members. ``improve_plan`` makes it better.

    Args:
        organisation: Which operates the mission and whose plan it is.
        horizon: How far ahead; no further than every spacecraft's windows are known.
        actor: Who asks.
        at: Mission time, UTC.
        repairs: Keep every contact that no outage hits and no wish is against.
        wish: Windows that must be booked, or left free.

    Raises:
        NotPermittedError: no role of *actor* grants it.
        PlanRefusedError: there is nothing to plan, what is booked contradicts itself, or
            no plan can be as *wish* wants it; the text says what is against it.
    """
    require(actor, Action.PLAN_PROPOSE, organisation)
    # Read and solved before the transaction: a database of one writer is not kept waiting.
    with acting_for_everybody():  # a plan is made of all members' requests
        ends = _end_of(horizon, at)
        problem = _posed(at, ends, _KEEPING_IN_REPAIR if repairs else _KEEPING, wish or Wish())
    if repairs and not (problem.outages or problem.pins):
        raise PlanRefusedError(
            f"No outage touches the time until {ends:%Y-%m-%d %H:%MZ}, so there is nothing to "
            "repair. Declare the outage first, or propose a plan that repairs none."
        )
    document = problem_document(problem)
    solve = partial(freeze_first if repairs else greedy_plan, digest=digest_of(document))
    answer = _answer(solve, problem)
    plan = Plan(
        organisation=organisation,
        begins=at,
        ends=ends,
        repairs=repairs,
        base=None,
        proposed_by=actor,
        proposed_at=at,
    )
    _put(plan, problem, answer, document)
    with transaction.atomic():
        in_force = selectors.plan_in_force()
        plan.base_id = in_force.pk if in_force is not None else None
        plan.save()
        _log(
            "plan.propose",
            plan,
            actor,
            at,
            contacts=plan.contact_count,
            repairs=repairs,
            **_asked_for(plan),
        )
        publish_after_commit({"type": "refresh", "part": "plans"})
    return plan


def improve_plan(*, plan_id: int, search: Search, at: datetime) -> Plan:
    """Solve a proposed plan anew within the time of *search*, and keep the better answer.

    With its bound and its gap come the congestion prices. A plan that was
    decided on in the meantime stays as it was decided on. Where the
    installation says so, one that moves nothing that is booked is approved.

    Raises:
        Plan.DoesNotExist: no such plan.
        PlanRefusedError: its document does not verify.
    """
    plan = Plan.objects.get(pk=plan_id)
    problem, first = _read(plan)
    solve = repair_plan if plan.repairs else make_plan
    # As it was stored, so that the answer there was still answers it.
    posed, search = plan.document["problem"], replace(search, digest=plan.input_digest)
    found = _answer(lambda asked: solve(asked, search), problem)
    better = found if found.objective >= first.objective else first
    if plan.repairs:
        better = moving_few(problem, better, first, most_moved=_MOST_MOVED)
    with transaction.atomic():
        locked = Plan.objects.select_for_update().get(pk=plan_id)
        if locked.state != _State.PROPOSED:
            return locked
        _put(locked, problem, better, posed)
        locked.improved_at = at
        if settings.PLAN_AUTOMATIC_APPROVAL and not moves_contacts(locked):
            locked.state, locked.decided_at = _State.APPROVED, at
        locked.save()
        _log(
            "plan.improve",
            locked,
            _PROCESS,
            at,
            contacts=locked.contact_count,
            state=locked.state,
            gap=locked.gap,
        )
        publish_after_commit({"type": "refresh", "part": "plans"})
    return locked


@transaction.atomic
def approve_plan(*, plan_id: int, actor: Operator, at: datetime) -> Plan:
    """Let a proposed plan be published.

    Raises:
        Plan.DoesNotExist: no such plan.
        NotPermittedError: no role of *actor* grants it.
        PlanRefusedError: it is not proposed any more, or over.
    """
    plan = _proposed(plan_id, actor)
    if plan.ends <= at:
        raise PlanRefusedError(
            f"Plan {plan.pk} ended at {plan.ends:%Y-%m-%d %H:%MZ}; propose another."
        )
    return _decide(plan, _State.APPROVED, "plan.approve", actor, at)


@transaction.atomic
def refuse_plan(*, plan_id: int, actor: Operator, at: datetime) -> Plan:
    """Turn a proposed plan down; it stays to be read.

    Raises:
        Plan.DoesNotExist: no such plan.
        NotPermittedError: no role of *actor* grants it.
        PlanRefusedError: it is not proposed any more.
    """
    return _decide(_proposed(plan_id, actor), _State.REFUSED, "plan.refuse", actor, at)


def moves_contacts(plan: Plan) -> bool:
    """Return whether a plan drops or moves a contact that was booked when it was made."""
    return any(
        change["before"] is not None
        and (change["after"] is None or change["before"] != change["after"])
        for change in plan.changes
    )


def checked_document(plan: Plan) -> dict[str, Any]:
    """Return a plan's document, verified, and the one that its row speaks of.

    Raises:
        PlanRefusedError: it was changed since it was made.
    """
    try:
        verify_plan(plan.document)
    except PlanVerificationError as fault:
        raise PlanRefusedError(
            f"{plan} does not verify and cannot be used. {fault} Propose another."
        ) from fault
    document: dict[str, Any] = plan.document
    said = (plan.input_digest, plan.objective, plan.contact_count)
    inside = document["plan"]
    if said != (inside["input_digest"], inside["objective"], len(inside["contacts"])):
        raise PlanRefusedError(
            f"{plan} says in its row other than in its document; it was changed by hand. "
            "Propose another."
        )
    return document


def _end_of(horizon: timedelta, at: datetime) -> datetime:
    if not _MIN_HORIZON <= horizon <= MAX_HORIZON:
        raise PlanRefusedError(
            f"The horizon is {horizon / timedelta(hours=1):g} h; 0.5 h to "
            f"{MAX_HORIZON / timedelta(hours=1):g} h are allowed."
        )
    known = windows_known_until()
    if known is None or known < at + _MIN_HORIZON:
        raise PlanRefusedError(
            "There are no contact windows to plan with: load orbital elements, or wait until the "
            "windows are computed."
        )
    return min(at + horizon, known)


def _posed(begins: datetime, ends: datetime, keeping_share: float, wish: Wish) -> Problem:
    try:
        problem = build_problem(begins=begins, ends=ends, keeping_share=keeping_share)
        return problem_of_wish(problem, wish)
    except (ProblemError, PinError) as error:
        raise PlanRefusedError(str(error)) from error


def _answer(solve: Callable[[Problem], Answer], problem: Problem) -> Answer:
    try:
        return solve(problem)
    except ProblemError as error:  # frozen contacts that cannot both be
        raise PlanRefusedError(str(error)) from error


def _read(plan: Plan) -> tuple[Problem, Answer]:
    return read_plan_document(checked_document(plan))


def _put(plan: Plan, problem: Problem, answer: Answer, posed: dict[str, Any]) -> None:
    """Put an answer into the row, with what lists and pages show of it.

    Raises:
        PlanRefusedError: it does not verify; the solver is at fault.
    """
    document = plan_document(problem, answer, posed=posed)
    try:
        verify_plan(document)
    except PlanVerificationError as fault:
        raise PlanRefusedError(f"The plan that was found does not verify. {fault}") from fault
    kept = [one.contact for one in problem.kept]
    before, reassigned = _in_their_places(kept, answer.contacts)
    told = difference(problem, before, answer.contacts)
    plan.method = answer.method.value
    plan.objective, plan.bound, plan.gap = answer.objective, answer.bound, answer.gap
    plan.seed, plan.solver = answer.seed, answer.solver
    plan.input_digest = answer.input_digest
    plan.contact_count = len(answer.contacts)
    plan.document = document
    plan.pins = document["problem"]["pins"]
    plan.unserved = _with_owners(document["plan"]["unserved"], problem)
    plan.shares = share_rows(problem, answer)
    plan.changes = [*map(_change, told.changes), *reassigned]
    plan.unchanged = told.unchanged


def _with_owners(unserved: Iterable[dict[str, Any]], problem: Problem) -> list[dict[str, Any]]:
    asked = {one.id: one for one in problem.requests}
    return [
        {
            **one,
            "owner": asked[one["request"]].owner,
            "spacecraft": asked[one["request"]].spacecraft,
        }
        for one in unserved
    ]


def _in_their_places(
    before: Iterable[Contact], after: Iterable[Contact]
) -> tuple[list[Contact], list[dict[str, Any]]]:
    """Return the contacts as they were, but those that stay in their place as they will be.

    Beside them, what to tell of those whose place now serves another request: to
    who flies them nothing moves.
    """
    places = {_where(one): one for one in after}
    same, reassigned = [], []
    for one in before:
        other = places.get(_where(one), one)
        same.append(other)
        if other.request != one.request:
            reassigned.append(
                {
                    "kind": REASSIGNED,
                    "request": other.request,
                    "spacecraft": one.spacecraft,
                    "before": _place(one),
                    "after": _place(other),
                    "why": f"it was booked for {request_text(one.request)}",
                    "outage": None,
                }
            )
    return same, reassigned


def _where(contact: Contact) -> tuple[object, ...]:
    return contact.spacecraft, contact.path, contact.begins, contact.ends


def _change(change: Change) -> dict[str, Any]:
    some = change.before or change.after
    return {
        "kind": change.kind.value,
        "request": change.request,
        "spacecraft": some.spacecraft if some is not None else "",
        "before": _place(change.before),
        "after": _place(change.after),
        "why": change.why,
        "outage": change.outage,
    }


def _place(contact: Contact | None) -> dict[str, str] | None:
    if contact is None:
        return None
    return {
        "antenna": " → ".join(contact.path),
        "aos": contact.begins.isoformat().replace("+00:00", "Z"),
        "los": contact.ends.isoformat().replace("+00:00", "Z"),
    }


def _asked_for(plan: Plan) -> dict[str, list[str]]:
    """Return the pins as every member may read them: windows, not whose requests they serve."""
    booked = [pin["window"] for pin in plan.pins if pin["request"]]
    free = [pin["window"] for pin in plan.pins if not pin["request"]]
    return {"include": booked, "exclude": free} if plan.pins else {}


def _proposed(plan_id: int, actor: Operator) -> Plan:
    plan = Plan.objects.select_for_update().get(pk=plan_id)
    require(actor, Action.PLAN_APPROVE, plan.organisation)
    if plan.state != _State.PROPOSED:
        raise PlanRefusedError(
            f"Plan {plan.pk} {plan.get_state_display()}; only a proposed one is decided on."
        )
    return plan


def _decide(plan: Plan, state: Plan.State, action: str, actor: Operator, at: datetime) -> Plan:
    plan.state = state
    plan.decided_by, plan.decided_at = actor, at
    plan.save(update_fields=["state", "decided_by", "decided_at"])
    _log(action, plan, actor, at)
    publish_after_commit({"type": "refresh", "part": "plans"})
    return plan


def _log(action: str, plan: Plan, actor: Operator | str, at: datetime, **details: object) -> None:
    append_entry(
        action=action,
        subject=f"plan:{plan.pk}",
        actor=actor,
        at=at,
        organisation=plan.organisation.slug,
        details={
            "begins": plan.begins.isoformat(),
            "ends": plan.ends.isoformat(),
            "input_digest": plan.input_digest,
            "method": plan.method,
            **details,
        },
    )
