"""A program for tests: acts inside an installation that other processes serve.

It reads one call from each line, as JSON ``[name, {arguments}]``, and answers
with what it returned.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from datetime import UTC, datetime, timedelta

import django

django.setup()

from django.db import transaction  # noqa: E402

from missioncontrol.accounts import services as accounts  # noqa: E402
from missioncontrol.accounts.models import (  # noqa: E402
    ApiToken,
    Membership,
    Operator,
    Organisation,
)
from missioncontrol.accounts.policy import Action, Role  # noqa: E402
from missioncontrol.audit import selectors  # noqa: E402
from missioncontrol.audit.services import append_entry, sequence_entries  # noqa: E402
from missioncontrol.fleet.models import Spacecraft  # noqa: E402
from missioncontrol.kernel import broker, clock, live  # noqa: E402
from missioncontrol.kernel.models import ClockAnchor  # noqa: E402
from missioncontrol.kernel.organisations import process_acts_for_everybody  # noqa: E402
from missioncontrol.pipelines.demo import seed_mission  # noqa: E402
from missioncontrol.webhooks import services as webhooks  # noqa: E402
from missioncontrol.webhooks.models import Delivery  # noqa: E402
from telemetry.services import ingest_packet_file  # noqa: E402
from tests.browser.packets import HousekeepingPackets  # noqa: E402

AT = datetime(2026, 12, 1, tzinfo=UTC)


def account(username, organisation, roles, kind="laboratory", lifetime_s=86400, scopes=None):
    """Make an account with a token; return the token's secret."""
    member, _ = Organisation.objects.get_or_create(
        slug=organisation, defaults={"name": organisation.title(), "kind": kind}
    )
    operator = Operator.objects.filter(username=username).first()
    if operator is None:
        operator = Operator.objects.create(username=username, home=member)
        for role in roles:
            Membership.objects.create(operator=operator, organisation=member, role=Role(role))
    _token, secret = accounts.create_token(
        operator=operator,
        organisation=member,
        name="test",
        at=AT,
        wall_at=clock.wall_now(),
        actor="process:test",
        lifetime=timedelta(seconds=lifetime_s),
        scopes=None if scopes is None else [Action(each) for each in scopes],
    )
    return secret


def revoke(prefix):
    token = ApiToken.objects.get(prefix=prefix)
    accounts.revoke_token(token_id=token.pk, actor="process:test", at=AT, wall_at=clock.wall_now())


def close(username):
    accounts.close_account(
        operator=Operator.objects.get(username=username),
        actor="process:test",
        at=AT,
        wall_at=clock.wall_now(),
    )


def take_roles(username):
    Membership.objects.filter(operator__username=username).delete()


def append(count, action="test.write", organisation="", first=0):
    """Write entries in one transaction."""
    with transaction.atomic():
        for number in range(first, first + count):
            append_entry(
                action=action,
                subject=f"test:{number}",
                actor="process:test",
                at=AT,
                organisation=organisation,
                details={"number": number},
            )


def mission():
    """Load the demo mission at a clock that stands still."""
    seed_mission(at=AT)
    ClockAnchor.objects.update(mission_time=AT, last_seen=AT, frozen=True)


def receive(second, values):
    """Receive housekeeping of DD-1 that was generated so many seconds after AT."""
    craft = Spacecraft.objects.get(name="DD-1")
    packets = HousekeepingPackets(craft).at(AT + timedelta(seconds=second), **values)
    ingest_packet_file(
        spacecraft=craft,
        octets=b"".join(packets),
        name="test",
        actor="process:test",
        at=AT + timedelta(hours=1),
    )


def cut_subscriptions():
    """Do what a broker does that is started again."""
    broker.connection().client_kill_filter(_type="pubsub")


def webhook(organisation, url, types):
    """Make a webhook; return its secret."""
    _, secret = webhooks.create_webhook(
        organisation=Organisation.objects.get(slug=organisation),
        name="test",
        url=url,
        types=types,
        actor="process:test",
        at=AT,
        wall_at=clock.wall_now(),
    )
    return secret


def delivery_states(organisation):
    """Count an organisation's deliveries by state."""
    rows = Delivery.objects.filter(webhook__organisation__slug=organisation)
    return dict(Counter(rows.values_list("state", flat=True)))


def publish():
    """Do what the sequencer's process does; return how many entries are published."""
    while sequence_entries(at=AT):
        pass
    live.announce_publication()
    return selectors.published_size()


CALLS = {
    each.__name__: each
    for each in (
        *(account, revoke, close, take_roles, append, publish),
        *(mission, receive, cut_subscriptions),
        *(webhook, delivery_states),
    )
}


def main() -> None:
    process_acts_for_everybody()
    print("ready", flush=True)
    for line in sys.stdin:
        name, arguments = json.loads(line)
        print(json.dumps(CALLS[name](**arguments)), flush=True)


if __name__ == "__main__":
    main()
