from __future__ import annotations

from missioncontrol.kernel.errors import RefusedError


class ContactRefusedError(RefusedError):
    """The contact cannot be changed like this."""


class RequestRefusedError(RefusedError):
    """The contact request cannot be like this."""


class OutageRefusedError(RefusedError):
    """The outage cannot be like this."""


class PlanRefusedError(RefusedError):
    """There can be no such plan, or it cannot be changed like this."""


class ScheduleRefusedError(RefusedError):
    """The schedule of a provider cannot be taken over."""


class CalendarFeedRefusedError(RefusedError):
    """The calendar cannot be like this."""
