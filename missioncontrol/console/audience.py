"""Which live messages a person may see."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from missioncontrol.accounts.models import Operator
from missioncontrol.accounts.policy import Action
from missioncontrol.accounts.principals import principal_of_session
from missioncontrol.console.access import Viewer

# Of missioncontrol.pipelines.executor.pass_message.
_COMMANDING: Final = frozenset(
    {
        "cop1",
        "file_cltus",
        "refusal",
        "telecommand_frames",
        "telecommand_frames_accepted",
        "transfers",
        "uplink_octets",
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Audience:
    """What one console is told; "refresh", "clock" and "beat" go to everybody.

    A refresh tells nothing but that something changed: the page that it makes
    the browser ask for shows what its reader may see.
    """

    telemetry_of: frozenset[str]  # names of spacecraft
    telecommands_of: frozenset[str]
    passes: bool
    jobs: bool  # of all members; a member's own pages live by "refresh"

    def takes(self, message: dict[str, Any]) -> bool:
        """Return whether *message* is for this console."""
        kind = message["type"]
        if kind == "telemetry":
            return message["spacecraft"] in self.telemetry_of
        if kind == "alarm":
            return bool(self.telemetry_of)
        if kind == "pass":
            return self.passes
        return kind != "job" or self.jobs

    def sees_commanding(self, message: dict[str, Any]) -> bool:
        """Return whether what a pass commands and transfers is for this console too."""
        return message.get("spacecraft") in self.telecommands_of


def without_commanding(message: dict[str, Any]) -> dict[str, Any]:
    """Return the message of a pass for who may not see the spacecraft's telecommands."""
    return {name: value for name, value in message.items() if name not in _COMMANDING}


def audience_of(operator_id: int) -> Audience | None:
    """Return what an operator may be told; None for one without any role or not active.

    It reads nothing that belongs to organisations, so it can be asked for anywhere.
    """
    operator = Operator.objects.filter(pk=operator_id, is_active=True).first()
    if operator is None:
        return None
    viewer = Viewer(principal_of_session(operator, confirmed_at=None))
    passes = viewer.may(Action.CONTACT_VIEW)
    telemetry_of = frozenset(craft.name for craft in viewer.spacecraft(Action.TELEMETRY_VIEW))
    jobs = bool(viewer.spacecraft(Action.JOB_VIEW))
    if not (passes or telemetry_of or jobs):
        return None
    return Audience(
        telemetry_of=telemetry_of,
        telecommands_of=frozenset(
            craft.name for craft in viewer.spacecraft(Action.TELECOMMAND_VIEW)
        ),
        passes=passes,
        jobs=jobs,
    )
