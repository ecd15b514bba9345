from __future__ import annotations

import logging
from importlib import import_module
from pathlib import Path

import pytest

from tests.integration.access.scene import Scene

for _file in sorted(Path(__file__).parent.glob("recipes_*.py")):
    import_module(f"tests.integration.access.{_file.stem}")  # registers its recipes


@pytest.fixture
def _quiet_folders(settings, tmp_path, caplog):
    settings.ARCHIVE_DIR = tmp_path / "archive"
    settings.FILES_DIR = tmp_path / "files"
    # A refusal is a line of the server's log; thousands are no use to anybody.
    caplog.set_level(logging.ERROR, logger="django.request")


@pytest.fixture
def scene(db, _quiet_folders):
    """The mission and its people; what is done in it is taken back."""
    return Scene()


@pytest.fixture
def committed_scene(transactional_db, _quiet_folders):
    """The same, for what asks from other threads."""
    return Scene()
