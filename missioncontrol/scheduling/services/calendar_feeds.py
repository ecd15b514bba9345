from __future__ import annotations

import hashlib
import secrets
from datetime import datetime
from typing import Final

from django.db import transaction

from missioncontrol.accounts.models import Operator, Organisation
from missioncontrol.accounts.policy import Action, require
from missioncontrol.audit.services import append_entry
from missioncontrol.fleet.models import GroundStation, Spacecraft
from missioncontrol.scheduling.models import CalendarFeed
from missioncontrol.scheduling.services.errors import CalendarFeedRefusedError

MAX_FEEDS: Final = 50  # of one organisation, those that are in force
_SECRET_OCTETS: Final = 32


@transaction.atomic
def make_calendar_feed(
    *,
    organisation: Organisation,
    of: Spacecraft | GroundStation | None,
    actor: Operator,
    at: datetime,
    wall_at: datetime,
) -> tuple[CalendarFeed, str]:
    """Give an organisation a secret address of a calendar; the secret is shown only now.

    Args:
        organisation: Whose.
        of: Which contacts; None: those that concern the organisation.
        actor: Who asks.
        at: Moment for the log, UTC (mission time).
        wall_at: The same on the machine's clock.

    Raises:
        NotPermittedError: *actor* holds no role for *organisation*.
        CalendarFeedRefusedError: there are too many.
    """
    require(actor, Action.CALENDAR_FEED_MANAGE, organisation)
    # The organisation's row is the lock under which its calendars are counted.
    Organisation.objects.select_for_update().get(pk=organisation.pk)
    in_force = CalendarFeed.objects.filter(organisation=organisation, revoked_at=None).count()
    if in_force >= MAX_FEEDS:
        raise CalendarFeedRefusedError(
            f"{organisation} has {in_force} calendars, which is the limit. Revoke one first."
        )
    secret = secrets.token_urlsafe(_SECRET_OCTETS)
    feed = CalendarFeed.objects.create(
        organisation=organisation,
        spacecraft=of if isinstance(of, Spacecraft) else None,
        station=of if isinstance(of, GroundStation) else None,
        # 256 random bits need no slow hash.
        secret_sha256=hashlib.sha256(secret.encode()).hexdigest(),
        made_by=actor,
        made_at=wall_at,
    )
    _log("calendar_feed.create", feed, actor, at)
    return feed, secret


@transaction.atomic
def revoke_calendar_feed(
    *, feed_id: int, actor: Operator, at: datetime, wall_at: datetime
) -> CalendarFeed:
    """Let the secret address of a calendar lead nowhere from now on.

    Raises:
        CalendarFeed.DoesNotExist: no such calendar.
        NotPermittedError: *actor* holds no role for its organisation.
        CalendarFeedRefusedError: it was revoked before.
    """
    feed = CalendarFeed.objects.select_for_update(of=("self",)).get(pk=feed_id)
    require(actor, Action.CALENDAR_FEED_MANAGE, feed.organisation)
    if feed.revoked_at is not None:
        raise CalendarFeedRefusedError(
            f"Calendar {feed.pk} was revoked at {feed.revoked_at:%Y-%m-%d %H:%MZ} already."
        )
    feed.revoked_at = wall_at
    feed.save(update_fields=["revoked_at"])
    _log("calendar_feed.revoke", feed, actor, at)
    return feed


def _log(action: str, feed: CalendarFeed, actor: Operator, at: datetime) -> None:
    append_entry(
        action=action,
        subject=f"calendar_feed:{feed.pk}",
        actor=actor,
        at=at,
        organisation=feed.organisation.slug,
        details={"of": feed.subject},
    )
