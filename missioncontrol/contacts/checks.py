"""What `manage.py check --deploy` says of the data that contact windows stand on."""

from __future__ import annotations

from typing import Any

from django.core import checks

from missioncontrol.kernel import clock
from missioncontrol.orbits.time_scale import earth_orientation


@checks.register(checks.Tags.files, deploy=True)
def earth_orientation_is_fresh(**_kwargs: Any) -> list[checks.Warning]:
    """Warn when the Earth-orientation data are older than the limit."""
    warning = earth_orientation(clock.wall_now()).warning
    return [checks.Warning(warning, id="contacts.W001")] if warning else []
