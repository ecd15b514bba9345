"""What is out, and what the one who looks may say that of."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Final

from missioncontrol.accounts.policy import Action
from missioncontrol.console.access import Viewer
from missioncontrol.console.presentation.plans import outage_rows
from missioncontrol.fleet import selectors as fleet
from missioncontrol.scheduling import selectors as scheduling

_AHEAD: Final = timedelta(days=60)
_OFFERED: Final = timedelta(hours=6)


def outage_panels(viewer: Viewer, at: datetime) -> dict[str, Any]:
    """Return the context of ``parts/outages.html`` and ``parts/declare_outage.html``."""
    return {
        "outages": outage_rows(scheduling.outages_within(at, at + _AHEAD), viewer),
        "resources": declarable(viewer),
        "outage_begins": f"{at:%Y-%m-%dT%H:%M}",
        "outage_ends": f"{at + _OFFERED:%Y-%m-%dT%H:%M}",
    }


def declarable(viewer: Viewer) -> list[str]:
    """Return the antennas and spacecraft that *viewer* may declare out: all, for who plans."""
    everything = viewer.may(Action.PLAN_PROPOSE)
    owned = [
        *((antenna.name, antenna.station.owner) for antenna in fleet.active_antennas()),
        *((craft.name, craft.organisation) for craft in fleet.active_spacecraft()),
    ]
    return [
        name for name, owner in owned if everything or viewer.may(Action.OUTAGE_DECLARE, owner)
    ]
