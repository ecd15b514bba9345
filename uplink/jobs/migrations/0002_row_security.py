from __future__ import annotations

from django.db import migrations

from missioncontrol.kernel.row_security import expose, protect


class Migration(migrations.Migration):
    dependencies = [
        ("fleet", "0002_row_security"),
        ("jobs", "0001_initial"),
    ]

    operations = [
        migrations.AlterModelOptions(
            name="job",
            options={"base_manager_name": "objects", "ordering": ["-number"]},
        ),
        migrations.RunPython(
            protect(
                jobs_job="mission_sees(organisation_id) OR mission_sees_spacecraft(spacecraft_id)",
            ),
            expose("jobs_job"),
        ),
    ]
