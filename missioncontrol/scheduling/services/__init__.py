"""What can be done with contacts, requests, outages and plans."""

from __future__ import annotations

from missioncontrol.scheduling.plan_pins import Wish
from missioncontrol.scheduling.services.calendar_feeds import (
    make_calendar_feed,
    revoke_calendar_feed,
)
from missioncontrol.scheduling.services.contacts import (
    BOOKING_HORIZON,
    advance_contact,
    book_contacts,
    cancel_contact,
    mark_missed,
    note_drift,
)
from missioncontrol.scheduling.services.errors import (
    CalendarFeedRefusedError,
    ContactRefusedError,
    OutageRefusedError,
    PlanRefusedError,
    RequestRefusedError,
    ScheduleRefusedError,
)
from missioncontrol.scheduling.services.outages import (
    declare_outage,
    import_schedule,
    lift_outage,
)
from missioncontrol.scheduling.services.plans import (
    MAX_HORIZON,
    approve_plan,
    checked_document,
    improve_plan,
    propose_plan,
    refuse_plan,
)
from missioncontrol.scheduling.services.publication import publish_plan
from missioncontrol.scheduling.services.requests import (
    RequestTerms,
    request_contact,
    withdraw_request,
)
from missioncontrol.scheduling.services.withdrawals import withdraw_contact

__all__ = [
    "BOOKING_HORIZON",
    "MAX_HORIZON",
    "CalendarFeedRefusedError",
    "ContactRefusedError",
    "OutageRefusedError",
    "PlanRefusedError",
    "RequestRefusedError",
    "RequestTerms",
    "ScheduleRefusedError",
    "Wish",
    "advance_contact",
    "approve_plan",
    "book_contacts",
    "cancel_contact",
    "checked_document",
    "declare_outage",
    "import_schedule",
    "improve_plan",
    "lift_outage",
    "make_calendar_feed",
    "mark_missed",
    "note_drift",
    "propose_plan",
    "publish_plan",
    "refuse_plan",
    "request_contact",
    "revoke_calendar_feed",
    "withdraw_contact",
    "withdraw_request",
]
