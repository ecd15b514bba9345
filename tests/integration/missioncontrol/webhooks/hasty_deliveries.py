"""A program for tests: ``manage.py run_webhook_deliveries``, which soon takes over from the dead.

What a killed process held is free again after half a minute; here after five seconds.
"""

from __future__ import annotations

from datetime import timedelta

import django

django.setup()

from django.core.management import call_command  # noqa: E402

from missioncontrol.kernel.organisations import process_acts_for_everybody  # noqa: E402
from missioncontrol.webhooks import outbox  # noqa: E402

outbox.CLAIM = timedelta(seconds=5)
process_acts_for_everybody()
call_command("run_webhook_deliveries")
