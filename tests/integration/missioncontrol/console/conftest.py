"""The demo mission with a few people, and a browser without a screen."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.conf import settings as product_settings

from missioncontrol.accounts.models import Operator, Organisation
from missioncontrol.accounts.policy import Role
from missioncontrol.fleet.models import Spacecraft
from missioncontrol.kernel import clock
from missioncontrol.pipelines.demo import seed_mission
from tests import factories
from tests.signing_in import signed_in

AT = datetime(2026, 12, 1, 12, tzinfo=UTC)


@pytest.fixture(scope="session", autouse=True)
def _static_folder():
    """The server warns where the folder of collected static files is missing."""
    Path(product_settings.STATIC_ROOT).mkdir(parents=True, exist_ok=True)


@pytest.fixture(autouse=True)
def _own_folders(settings, tmp_path):
    settings.ARCHIVE_DIR = tmp_path / "archive"
    settings.FILES_DIR = tmp_path / "files"


@pytest.fixture
def mission(db) -> Spacecraft:
    """The demo mission; its clock stands still but for the wall's seconds."""
    seed_mission(at=AT)
    clock.set_clock(mission_time=AT, factor=1.0)
    return Spacecraft.objects.select_related("organisation").get()


@pytest.fixture
def person(mission):
    """Make people: the name, their roles, whom they belong to (the operator of the fleet)."""

    def make(username: str, *roles: Role, member_of: str = "operator") -> Operator:
        organisation = Organisation.objects.get(slug=member_of)
        return factories.operator(username, *roles, member_of=organisation)

    return make


@pytest.fixture
def alice(person) -> Operator:
    return person("alice", Role.OPERATOR)


@pytest.fixture
def bob(person) -> Operator:
    return person("bob", Role.OPERATOR)


@pytest.fixture
def mei(person) -> Operator:
    return person("mei", Role.PAYLOAD_MEMBER, member_of="ai-laboratory-1")


@pytest.fixture
def browser_of():
    """Sign somebody in."""

    return signed_in
