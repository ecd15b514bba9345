"""The log's files, as members and their programs read them."""

from __future__ import annotations

from missioncontrol.accounts.policy import Action
from missioncontrol.audit.selectors import published_size
from tests.integration.access.cast import By
from tests.integration.access.recipes import Ask, plain, recipe

plain("GET /log/checkpoint", Action.AUDIT_VIEW, by=By.TOKEN)


@recipe("GET /log/{path}", Action.AUDIT_VIEW, by=By.TOKEN)
def a_tile(scene):
    return Ask(path={"path": f"tile/0/000.p/{published_size()}"})


@recipe("GET /log/keys/{key_id}", Action.AUDIT_VIEW, by=By.TOKEN)
def what_a_former_key_said(scene):
    return Ask(path={"key_id": scene.announcement()})
