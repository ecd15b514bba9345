from __future__ import annotations

from django.db import migrations


class Migration(migrations.Migration):
    """Requests are taken once by the API's own rows (``missioncontrol.api.idempotency``)."""

    dependencies = [("jobs", "0002_row_security")]

    operations = [
        migrations.RemoveConstraint(model_name="job", name="job_submitted_once"),
        migrations.RemoveField(model_name="job", name="idempotency_key"),
    ]
