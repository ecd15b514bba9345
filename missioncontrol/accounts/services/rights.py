from __future__ import annotations

from missioncontrol.accounts.models import Operator, Organisation
from missioncontrol.accounts.policy import Action, require


def require_of_people(actor: Operator | str, action: Action, organisation: Organisation) -> None:
    """Refuse a person without the right; a process of this installation has all.

    Raises:
        NotPermittedError: no role of *actor* grants *action*.
    """
    if isinstance(actor, Operator):
        require(actor, action, organisation)
