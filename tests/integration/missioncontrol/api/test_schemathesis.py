"""The API attacked by its own description: all of schemathesis' checks, as several people.

Deterministic, and small enough for every run of the suite; `make fuzz-api` goes
on for as long as one likes. What may answer with a stream is not asked here: a
stream never ends, and WSGI has no way to send one that is asynchronous. It has
the same checks over a socket (events/test_schemathesis.py).
"""

from __future__ import annotations

import hypothesis
import pytest
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections, transaction
from schemathesis.specs.openapi.checks import ignored_auth

from missioncontrol.env import Rate
from tests.integration.missioncontrol.api.fuzzing import Scene, description, may_stream

# On the stricter of the two databases: what SQLite refuses of a value, PostgreSQL does too, and
# not the other way round.
pytestmark = [pytest.mark.django_db, pytest.mark.only_on("postgresql")]

described = description()
described.app = get_wsgi_application()
schema = described.exclude(may_stream)


@pytest.fixture(autouse=True)
def mission(db, settings, scene, caplog):
    """Each test finds the same demo, and leaves it as it was."""
    caplog.set_level("ERROR", logger="django.request")  # thousands of refusals are no news
    settings.ARCHIVE_DIR = scene.folder / "archive"
    settings.FILES_DIR = scene.folder / "files"
    settings.LOG_DIR = scene.folder / "log"
    settings.API_RATE_PER_TOKEN = settings.API_RATE_PER_ORGANISATION = Rate(10**6, 60)
    settings.API_RATE_OF_WRONG_TOKENS = Rate(10**6, 60)


@pytest.fixture(autouse=True)
def _one_connection():
    """Requests of a test share its connection, as those of Django's test client do."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


@pytest.fixture(scope="module")
def scene(django_db_setup, django_db_blocker, tmp_path_factory):
    folder = tmp_path_factory.mktemp("fuzzed")
    around = transaction.atomic()
    around._from_testcase = True  # what must be an outermost transaction may be inside this one
    with django_db_blocker.unblock(), around:
        yield Scene(folder)
        transaction.set_rollback(True)


def test_sequences_of_operations(scene):
    """What one operation answers goes into the next; so what was deleted is used again."""

    class Sequences(schema.as_state_machine()):
        def setup(self):
            # Each sequence begins with the same, or Hypothesis could not tell what it depends on.
            self._savepoint = transaction.savepoint()

        def teardown(self):
            transaction.savepoint_rollback(self._savepoint)

        def get_call_kwargs(self, case):
            return {"headers": scene.askers(case)[-1]}

        def validate_response(self, response, case, additional_checks=(), **kwargs):
            # That a token is needed is tried with every operation alone, below.
            case.validate_response(
                response, additional_checks=list(additional_checks), excluded_checks=[ignored_auth]
            )

    Sequences.run(
        settings=hypothesis.settings(
            max_examples=10,
            stateful_step_count=8,
            derandomize=True,
            database=None,
            deadline=None,
            suppress_health_check=list(hypothesis.HealthCheck),
        )
    )


@schema.parametrize()
def test_api(case, scene):
    scene.lead(case)
    for headers in scene.askers(case):
        case.call_and_validate(headers=headers)
