"""The product's settings over a throw-away folder: one for each test process."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from pathlib import Path

# The folders of tests lie in memory where there is room: on a disk, each of the log's many fsyncs
# would be waited for. What is killed here is processes, never a machine.
_MEMORY = Path("/dev/shm")
if os.access(_MEMORY, os.W_OK) and shutil.disk_usage(_MEMORY).free > 2**31:
    os.environ.setdefault("TMPDIR", str(_MEMORY))
    tempfile.tempdir = None  # is asked for anew

# A process started by a test (or an xdist worker) gets a folder of its own.
_folder = tempfile.mkdtemp(prefix="missioncontrol-tests-")
atexit.register(shutil.rmtree, _folder, ignore_errors=True)
os.environ["VAR_DIR"] = _folder
for name in ("ARCHIVE_URL", "REDIS_URL", "SECRET_KEY", "SIMULATOR_ADDRESS"):
    os.environ.pop(name, None)

from missioncontrol.settings import *  # noqa: E402, F403

STATIC_ROOT.mkdir(parents=True, exist_ok=True)  # noqa: F405  # whitenoise warns without it

# One hash instead of a memory-hard one: sign-in itself is tested in the browser
# journeys, which run the product with its own settings.
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
