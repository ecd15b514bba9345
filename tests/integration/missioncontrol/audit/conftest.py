from __future__ import annotations

import pytest
from django.test import Client

from missioncontrol.accounts.policy import Action, Role
from missioncontrol.accounts.services import create_token
from missioncontrol.kernel import clock
from tests import factories


@pytest.fixture
def member(settings, tmp_path):
    """What a member's mirror reads with: a token for the log."""
    settings.STATIC_ROOT = tmp_path  # whitenoise warns without it
    auditor = factories.operator("auditor", Role.AUDITOR)
    _, secret = create_token(
        operator=auditor,
        organisation=factories.organisation(),
        name="mirror",
        at=clock.now(),
        wall_at=clock.wall_now(),
        scopes=[Action.AUDIT_VIEW],
    )
    return Client(headers={"Authorization": f"Bearer {secret}"})
