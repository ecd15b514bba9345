from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from redis.exceptions import RedisError

from missioncontrol.console.context import page_clock
from missioncontrol.kernel import broker, clock
from missioncontrol.orbits.time_scale import EARTH_ORIENTATION_AGE_LIMIT_DAYS, earth_orientation


@require_safe
@never_cache
def health(_request: HttpRequest) -> HttpResponse:
    """Answer whether this web process can do its work; open to everybody, tells no secret."""
    failures = []
    answer: dict[str, Any] = {"status": "ok"}
    try:
        clock.read_again()  # the database itself, not what this process remembers of it
        now = page_clock()
        answer["earth_orientation"] = _earth_orientation(now.mission_at)
        answer["clock"] = {
            "mission_time": now.mission_at.isoformat(),
            "factor": now.factor,
            "frozen": now.frozen,
        }
    except DatabaseError:
        failures.append("the database does not answer")
    try:
        broker.connection().ping()
    except RedisError:
        failures.append("the broker does not answer")
    if failures:
        answer |= {"status": "failing", "failures": failures}
    return JsonResponse(answer, status=503 if failures else 200)


def _earth_orientation(at: datetime) -> dict[str, Any]:
    """Say how old the data are that contact windows are computed with."""
    data = earth_orientation(at)
    return {
        "age_days": round(data.age_days, 1),
        "limit_days": EARTH_ORIENTATION_AGE_LIMIT_DAYS,
        "warning": data.warning,
    }
