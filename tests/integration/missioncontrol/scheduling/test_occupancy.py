from __future__ import annotations

import random
from datetime import timedelta

import pytest

from missioncontrol.contacts.models import ContactWindow
from missioncontrol.scheduling.bookings import contacts_in_the_way, is_out
from missioncontrol.scheduling.models import Contact, Outage
from missioncontrol.scheduling.occupancy import Occupancy
from tests import factories
from tests.factories import AT

pytestmark = pytest.mark.django_db
MINUTE = timedelta(minutes=1)


def test_it_agrees_with_what_the_database_says_of_each_window():
    chance = random.Random(4)
    station = factories.ground_station()
    antennas = [factories.antenna(station, name=name) for name in ("Svalbard-1", "Svalbard-2")]
    crafts = [factories.spacecraft("DD-1"), factories.spacecraft("DD-2", ccsds_id=0x43)]
    profiles = {craft.pk: factories.mission_profile(craft) for craft in crafts}
    for begins in range(0, 600, 25):
        craft = chance.choice(crafts)
        aos = AT + begins * MINUTE
        factories.contact(craft, chance.choice(antennas), profiles[craft.pk], aos=aos)
    stan = factories.operator("stan")
    for number, antenna in enumerate(antennas):
        Outage.objects.create(
            **({"antenna": antenna} if number else {"spacecraft": crafts[0]}),
            begins=AT + 100 * MINUTE,
            ends=AT + 260 * MINUTE,
            planned=True,
            reason="a bearing",
            declared_by=stan,
            declared_at=AT,
        )
    occupancy = Occupancy(Contact.objects.select_related("antenna"), Outage.objects.all())
    opposed = out = 0
    for _ in range(150):
        craft, antenna = chance.choice(crafts), chance.choice(antennas)
        aos = AT + chance.uniform(-20, 620) * MINUTE
        window = ContactWindow(spacecraft=craft, aos=aos, los=aos + chance.uniform(2, 90) * MINUTE)
        found = occupancy.in_the_way(antenna, profiles[craft.pk], window)
        wanted = contacts_in_the_way(antenna, profiles[craft.pk], window)
        assert {one.pk for one in found} == {one.pk for one in wanted}
        assert len(found) == len(wanted)
        is_now_out = occupancy.is_out(antenna, profiles[craft.pk], window)
        assert is_now_out == is_out(antenna, profiles[craft.pk], window)
        opposed, out = opposed + len(found), out + is_now_out
    assert opposed > 50
    assert 20 < out < 130
