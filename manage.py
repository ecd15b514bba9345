#!/usr/bin/env python3
"""Django's command line for this project."""

from __future__ import annotations

import os
import sys

from django.core.management import execute_from_command_line

from missioncontrol.kernel.organisations import process_acts_for_everybody

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "missioncontrol.settings")
    # Whoever may run a command on this machine holds the whole mission's data anyway.
    process_acts_for_everybody()
    execute_from_command_line(sys.argv)
