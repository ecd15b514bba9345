"""The demo mission as text and as a document, for tests that change a part of it."""

from __future__ import annotations

import copy
from pathlib import Path

import yaml

from missioncontrol.fleet import mission_file

FOLDER = Path(mission_file.__file__).parent / "missions"
TEXT = (FOLDER / "demo.yaml").read_text(encoding="utf-8")
DICTIONARY = '<SpaceSystem name="DD-1"/>'
_DOCUMENT = yaml.load(TEXT, Loader=mission_file._MissionLoader)


def read_attachment(name: str) -> str:
    if name != "dd1.xtce.xml":
        raise FileNotFoundError(name)
    return DICTIONARY


def document() -> dict:
    return copy.deepcopy(_DOCUMENT)


def parse(changed: dict) -> mission_file.MissionFile:
    return mission_file.parse_mission(yaml.safe_dump(changed, sort_keys=False), read_attachment)
