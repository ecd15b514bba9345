"""What may answer with a stream, attacked by its own description.

The other operations are attacked in the process of the tests
(api/test_schemathesis.py); a stream takes a web process and a socket.
"""

from __future__ import annotations

import pytest

from missioncontrol.accounts.policy import Role
from tests.integration.missioncontrol.api.fuzzing import description, is_good, may_stream
from tests.integration.missioncontrol.events.served import bearer, served

pytestmark = pytest.mark.only_on("postgresql")  # as in api/test_schemathesis.py

schema = description().include(may_stream)
RATES = {
    "API_RATE_PER_TOKEN": "1000000/minute",
    "API_RATE_PER_ORGANISATION": "1000000/minute",
    "API_RATE_OF_WRONG_TOKENS": "1000000/minute",
}
ANSWER_S = 20.0  # on a busy machine too


@pytest.fixture(scope="module")
def mission(tmp_path_factory, broker, migrated):
    """The demo mission, served without a limit of how often it may be asked."""
    folder = tmp_path_factory.mktemp("attacked") / "installation"
    with served(folder, migrated, **RATES) as product:
        product.do("mission")
        product.do("append", count=3)
        product.do("publish")
        yield product


@pytest.fixture(scope="module")
def askers(mission):
    """Somebody who may hear everything, and somebody who may hear next to nothing."""
    roles = {"operator": [*Role], "ai-laboratory-1": [Role.PAYLOAD_MEMBER]}
    return [
        bearer(mission.do("account", username=f"fuzz-{slug}", organisation=slug, roles=held))
        for slug, held in roles.items()
    ]


@schema.parametrize()
def test_api(case, mission, askers):
    if is_good(case, "path") and case.path_parameters:
        case.path_parameters["name"] = "DD-1"
    if is_good(case, "query") and "wait" in (case.query or ()):
        case.query["wait"] = 1
    if case.path.endswith("/telemetry/stream") and has_position(case):
        del case.headers["Last-Event-ID"]  # nothing would be told before something is new
    for headers in askers:
        validate(case, mission, {**headers, "Accept": "application/json"})
    if is_good(case, "query") and case.path.endswith("/events"):
        case.query = {"after": -1}  # there is a first message at once, and it is enough
    for headers in askers:
        validate(case, mission, {**headers, "Accept": "text/event-stream"})


def has_position(case):
    return str((case.headers or {}).get("Last-Event-ID", "")).isdigit()


def validate(case, mission, headers):
    case.call_and_validate(base_url=mission.address, headers=headers, timeout=ANSWER_S)
