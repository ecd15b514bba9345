"""Measure what a person waits for: a plan published, a wish answered.

    make bench-publication               # about two minutes

A database file of its own, without a broker: 24 spacecraft, 12 stations and 7 days of true
windows. A greedy plan of all of them is proposed, approved and published; then a window that
is not booked is asked for, and the answer is published too. Notes go to the screen; the last
line is one JSON object:

* ``windows`` and ``contacts`` of the plan;
* ``propose_s``: from the call to the plan in its row;
* ``publish_s``: all contacts are new; one transaction;
* ``wish_s``: the median of five windows asked for, from the call to the plan in its row;
* ``publish_wish_s``: all contacts but a few stay.
"""

from __future__ import annotations

import json
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import TypeVar

_T = TypeVar("_T")


def main() -> None:
    """Make the database in a folder that goes away, and measure."""
    with tempfile.TemporaryDirectory() as folder:
        os.environ |= {
            "VAR_DIR": folder,
            "STATIC_ROOT": str(Path(folder) / "static"),
            "DJANGO_SETTINGS_MODULE": "missioncontrol.settings",
            "LOG_LEVEL": "ERROR",
        }
        for name in ("DATABASE_URL", "REDIS_URL"):
            os.environ.pop(name, None)
        import django

        django.setup()
        from django.core.management import call_command

        from missioncontrol.kernel.organisations import acting_for_everybody

        call_command("migrate", verbosity=0)
        with acting_for_everybody():
            print(json.dumps(measure()))


def measure() -> dict[str, float]:
    """Return the figures."""
    from missioncontrol.scheduling import services
    from missioncontrol.scheduling.models import Contact
    from tests.benchmarks.planning_instances import START
    from tests.benchmarks.planning_rows import free_windows, make_rows

    organisation, planner = make_rows()
    figures: dict[str, float] = {}

    def propose(**asked: object):
        return services.propose_plan(
            organisation=organisation,
            horizon=timedelta(days=7),
            actor=planner,
            at=START,
            **asked,
        )

    def publish(plan):
        services.approve_plan(plan_id=plan.pk, actor=planner, at=START)
        took_s, published = timed(
            "publish",
            lambda: services.publish_plan(plan_id=plan.pk, actor=planner, at=START),
        )
        assert published.left_out == []
        assert published.contact_count == Contact.objects.exclude(state="CANCELLED").count()
        return took_s

    figures["propose_s"], plan = timed("propose", propose)
    figures["windows"] = len(plan.document["problem"]["opportunities"])
    figures["contacts"] = plan.contact_count
    figures["publish_s"] = publish(plan)
    waits = []
    for name in free_windows(plan, 5):
        wish = services.Wish(include=(name,))
        took_s, answer = timed(
            f"wish for {name}", lambda wish=wish: propose(repairs=True, wish=wish)
        )
        waits.append(took_s)
    figures["wish_s"] = statistics.median(waits)
    figures["publish_wish_s"] = publish(answer)
    return {name: round(figure, 3) for name, figure in figures.items()}


def timed(what: str, work: Callable[[], _T]) -> tuple[float, _T]:
    """Return the seconds that some work took, and what it returned.

    The processor's seconds go to the screen: they tell where others were at work, too.
    """
    began_s, processor_s = time.perf_counter(), time.process_time()
    done = work()
    took_s, processor_s = time.perf_counter() - began_s, time.process_time() - processor_s
    print(f"{what}: {took_s:.2f} s, {processor_s:.2f} s of the processor")
    return took_s, done


if __name__ == "__main__":
    main()
