"""What somebody wants of a plan, by the names of windows, brought into its problem."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from missioncontrol.scheduling.plan_problem import window_id
from missioncontrol.scheduling.solver.pinning import PinError, pin_windows
from missioncontrol.scheduling.solver.problem import Problem


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """Windows that a plan must book, and windows in which it must book nothing.

    A window is named as ``plan_problem.window_id`` does; a booked contact by its
    own spacecraft, antenna and AOS, also where its window has moved since.
    """

    include: Sequence[str] = ()
    exclude: Sequence[str] = ()

    def __bool__(self) -> bool:
        return bool(self.include or self.exclude)


def problem_of_wish(problem: Problem, wish: Wish) -> Problem:
    """Return a problem whose plans are as *wish* wants them.

    Raises:
        PinError: it names an unknown window, or no plan can be like this.
    """
    known = {one.id: one.id for one in problem.opportunities}
    for kept in problem.kept:
        contact = kept.contact
        known[window_id(contact.spacecraft, contact.path[-1], contact.begins)] = contact.id
        known[contact.id] = contact.id
    return pin_windows(
        problem,
        booked=[_known(name, known, problem) for name in wish.include],
        free=[_known(name, known, problem) for name in wish.exclude],
    )


def _known(name: str, known: dict[str, str], problem: Problem) -> str:
    found = known.get(name)
    if found is None:
        raise PinError(
            f"There is no window {name} between {problem.begins:%Y-%m-%d %H:%MZ} and "
            f"{problem.ends:%Y-%m-%d %H:%MZ}: its pre-pass has begun, it reaches over the "
            "horizon, or it was computed anew. A window is named SPACECRAFT/ANTENNA/AOS, as "
            "DD-1/KASHI-1/20261201T122100Z."
        )
    return found
