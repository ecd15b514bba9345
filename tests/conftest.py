"""What every test may use."""

from __future__ import annotations

import pytest
from django.contrib.contenttypes.management import create_contenttypes
from django.db import connection
from django.db.models.signals import post_migrate
from hypothesis import settings
from xdist.scheduler import LoadScopeScheduling

from missioncontrol.kernel import clock
from missioncontrol.kernel.organisations import acting_for_everybody
from tests import log_guards
from tests.migrated import Migrated

# A busy machine is no failure; what is too slow shows in the benchmarks.
settings.register_profile("suite", deadline=None)
settings.load_profile("suite")


@pytest.fixture(autouse=True)
def _fresh_clock():
    """No test sees the clock anchor that another one read."""
    clock.forget()
    yield
    clock.forget()


@pytest.fixture(autouse=True)
def _for_everybody():
    """Tests look at all rows, as the processes do that serve the whole mission.

    A request that a test makes acts for those of its person all the same.
    """
    with acting_for_everybody():
        yield


# Whose tests share something that takes long to start: each goes to one worker, the largest first.
TOGETHER = (
    "tests/browser/",
    "tests/integration/missioncontrol/events/",
    "tests/integration/missioncontrol/webhooks/test_process.py",
    "tests/integration/missioncontrol/client/test_go_verifier.py",
)


class Scheduling(LoadScopeScheduling):
    """Gives each worker the next test or, of what is TOGETHER, all tests at once.

    Marks would say the same (xdist_group), but pytest-xdist 3.8 writes them where pytest 9.2 does
    not look: they are passed over without a word.
    """

    def _split_scope(self, nodeid):
        return next((each for each in TOGETHER if nodeid.startswith(each)), nodeid)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    """Take it instead of what --dist names."""
    return Scheduling(config, log)


def pytest_collection_modifyitems(items):
    """Let the database be made for those too who only copy it."""
    for item in items:
        if "migrated" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.django_db)


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup, django_db_blocker, tmp_path_factory):
    """The test database, which may be emptied after a test that commits; gives what it was."""
    with django_db_blocker.unblock():
        migrated = Migrated(tmp_path_factory.mktemp("migrated"))
        log_guards.lift_deletion_guards()
    # Emptying a database makes these rows anew, which nothing of the product looks at: each test
    # that commits would wait for hundreds of them.
    post_migrate.disconnect(dispatch_uid="django.contrib.auth.management.create_permissions")
    post_migrate.disconnect(create_contenttypes)
    yield migrated
    with django_db_blocker.unblock():
        _end_other_sessions()
        migrated.drop()


@pytest.fixture(scope="session")
def migrated(django_db_setup):
    """The database as the migrations left it, to be copied for an installation of its own."""
    return django_db_setup


def _end_other_sessions():
    """Threads that tests left behind may hold sessions, and PostgreSQL then keeps the database."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
