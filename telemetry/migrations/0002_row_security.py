from __future__ import annotations

from django.db import migrations

from missioncontrol.kernel.row_security import expose, protect


class Migration(migrations.Migration):
    dependencies = [
        ("fleet", "0002_row_security"),
        ("telemetry", "0001_initial"),
    ]

    operations = [
        migrations.AlterModelOptions(
            name="alarm",
            options={"base_manager_name": "objects", "ordering": ["-raised_at", "-pk"]},
        ),
        migrations.AlterModelOptions(
            name="badframe",
            options={"base_manager_name": "objects", "ordering": ["-received_at", "-pk"]},
        ),
        migrations.RunPython(
            protect(
                telemetry_badframe="mission_sees_spacecraft(spacecraft_id)",
                telemetry_alarm="mission_sees_spacecraft(spacecraft_id)",
            ),
            expose("telemetry_badframe", "telemetry_alarm"),
        ),
    ]
