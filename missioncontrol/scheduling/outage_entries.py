"""What the log says of outages, whoever declares them: what services share."""

from __future__ import annotations

from datetime import datetime

from missioncontrol.accounts.models import Operator
from missioncontrol.audit.services import append_entry
from missioncontrol.kernel.live import publish_after_commit
from missioncontrol.scheduling.models import Outage


def log_outage(
    action: str, outage: Outage, actor: Operator | str, at: datetime, **details: object
) -> None:
    """Write what happened to an outage into the log, and tell open pages."""
    append_entry(
        action=action,
        subject=f"outage:{outage.pk}",
        actor=actor,
        at=at,
        organisation=outage.owner.slug,
        details={
            "resource": outage.resource,
            "begins": outage.begins.isoformat(),
            "ends": outage.ends.isoformat(),
            **details,
        },
    )
    publish_after_commit({"type": "refresh", "part": "passes"})
