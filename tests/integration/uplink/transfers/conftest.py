from __future__ import annotations

import copy
import random

import pytest

from tests.integration.telemetry import craft
from tests.integration.uplink.transfers.space import Link, Onboard
from uplink.transfers import services


@pytest.fixture(autouse=True)
def _own_folders(settings, tmp_path):
    settings.ARCHIVE_DIR = tmp_path / "archive"
    settings.FILES_DIR = tmp_path / "files"


@pytest.fixture
def dd1(db):
    craft_row = craft.spacecraft()
    profile = copy.deepcopy(craft_row.cfdp_profile)
    craft_row.cfdp_profile = {
        **profile,
        "segment_octets": 100,
        "ack_timer_s": 20,
        "nak_timer_s": 20,
    }
    craft_row.save()
    return craft_row


@pytest.fixture
def onboard(dd1):
    return Onboard(dd1)


@pytest.fixture
def link(dd1, onboard):
    return Link(dd1, onboard)


@pytest.fixture
def chance():
    return random.Random(20261201)


@pytest.fixture
def put(dd1):
    """Queue a file for the spacecraft."""

    def start(content=b"input", name="job-1.in"):
        return services.start_uplink(
            spacecraft=dd1, file_name=name, content=content, actor="process:test", at=craft.AT
        )

    return start
