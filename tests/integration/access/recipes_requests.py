"""Contact requests and calendars, in the console."""

from __future__ import annotations

from datetime import timedelta

from missioncontrol.accounts.policy import Action
from tests.integration.access.recipes import MEMBER, OPERATING, Ask, plain, recipe
from tests.integration.access.scene import AT


@recipe("GET /contact-requests/", Action.CONTACT_REQUEST_VIEW, of=(MEMBER, OPERATING))
def contact_requests_in_the_console(scene):
    return Ask(shows=f'data-request="{scene.contact_request().pk}"')


plain("GET /contact-requests/new/", Action.CONTACT_REQUEST_MANAGE)


@recipe(
    "POST /contact-requests/new/",
    Action.CONTACT_REQUEST_MANAGE,
    meant=lambda subject, _scene: subject.may(Action.CONTACT_REQUEST_MANAGE, None),
)
def ask_for_contacts_in_the_console(scene):
    form = {
        "spacecraft": scene.spacecraft.name,
        "kind": "DATA",
        "earliest": f"{AT:%Y-%m-%dT%H:%M}",
        "deadline": f"{AT + timedelta(hours=9):%Y-%m-%dT%H:%M}",
        "priority": "3",
        "minimum_duration_s": "0",
        "minimum_count": "1",
        "value": "100",
        "value_per_s": "0",
        "missing_cost": "1000",
    }
    return Ask(form=form)


@recipe("POST /contact-requests/{request_id}/withdraw/", Action.CONTACT_REQUEST_MANAGE, of=MEMBER)
def withdraw_a_contact_request_in_the_console(scene):
    return Ask(path={"request_id": scene.contact_request().pk})


@recipe("GET /calendar-feeds/", Action.CALENDAR_FEED_MANAGE, of=MEMBER)
def calendar_feeds_in_the_console(scene):
    return Ask(shows=f'data-feed="{scene.calendar_feed()[0].pk}"')


@recipe(
    "POST /calendar-feeds/make/",
    Action.CALENDAR_FEED_MANAGE,
    meant=lambda subject, _scene: subject.may(Action.CALENDAR_FEED_MANAGE, None),
)
def make_a_calendar_feed_in_the_console(scene):
    return Ask(form={"of": scene.spacecraft.name})


@recipe("POST /calendar-feeds/{feed_id}/revoke/", Action.CALENDAR_FEED_MANAGE, of=MEMBER)
def revoke_a_calendar_feed_in_the_console(scene):
    return Ask(path={"feed_id": scene.calendar_feed()[0].pk})
