"""Run as ``python -m missioncontrol.client``; documented as ``mc``."""

from __future__ import annotations

import sys

from missioncontrol.client.command_line import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
