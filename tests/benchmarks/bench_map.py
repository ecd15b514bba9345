"""What the map page costs: `make bench-map`. Not a part of the test suite.

The whole request in this process, on SQLite, with eight stations. The last line is JSON,
processor time, the middle of 15 requests:

* ``one_ms``: with the one spacecraft of the demo;
* ``constellation_ms``: with 200, of which 25 are in the table and one has its track.
"""

from __future__ import annotations

import json
import os
import statistics
import tempfile
import time
from datetime import UTC, datetime

import django

AT = datetime(2026, 12, 1, 12, tzinfo=UTC)
CONSTELLATION = 200
REQUESTS = 15


def main() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory(prefix="bench-map-") as folder:
        os.environ |= {
            "DJANGO_SETTINGS_MODULE": "missioncontrol.settings",
            "VAR_DIR": folder,
            "LOG_LEVEL": "ERROR",
        }
        for name in ("DATABASE_URL", "REDIS_URL"):
            os.environ.pop(name, None)
        django.setup()
        from django.core.management import call_command
        from django.test.utils import setup_test_environment

        from missioncontrol.kernel.organisations import acting_for_everybody

        setup_test_environment()
        call_command("migrate", verbosity=0, interactive=False)
        with acting_for_everybody():
            print(json.dumps(measured()))


def measured() -> dict[str, float]:
    """Return the figures."""
    from missioncontrol.accounts.policy import Role
    from missioncontrol.fleet.models import Spacecraft
    from missioncontrol.kernel import clock
    from missioncontrol.pipelines.demo import seed_mission
    from tests import factories
    from tests.signing_in import signed_in

    seed_mission(at=AT)
    clock.set_clock(mission_time=AT, factor=1.0)
    demo = Spacecraft.objects.select_related("organisation").get()
    operator = factories.operator("bench", Role.OPERATOR, member_of=demo.organisation)
    browser = signed_in(operator)
    one_ms = request_ms(browser)
    for number in range(CONSTELLATION - 1):
        add_spacecraft(demo, number)
    return {"one_ms": one_ms, "constellation_ms": request_ms(browser)}


def add_spacecraft(demo, number: int) -> None:
    """Add one of a constellation whose orbits all go through the Earth's shadow."""
    from missioncontrol.orbits.sun_synchronous import sun_synchronous_elements
    from tests import factories

    name = f"SAT-{number:03d}"
    craft = factories.spacecraft(name, ccsds_id=300 + number, organisation=demo.organisation)
    elements = sun_synchronous_elements(
        name,
        90_001 + number,
        600.0 + number,
        9.0 + number / 40,
        AT,
        mean_anomaly_deg=9.0 * number % 360,
    )
    line1, line2 = elements.tle_lines()
    factories.ephemeris(craft, name=name, line1=line1, line2=line2, epoch=AT)


def request_ms(browser) -> float:
    """Return the processor time of a request, in milliseconds."""
    spent = []
    for _ in range(REQUESTS + 1):
        begin = time.process_time()
        answer = browser.get("/stations/")
        spent.append(1000 * (time.process_time() - begin))
        assert answer.status_code == 200
    return round(statistics.median(spent[1:]), 1)


if __name__ == "__main__":
    main()
