from __future__ import annotations

from django.db import migrations

from missioncontrol.kernel.row_security import expose, protect


class Migration(migrations.Migration):
    dependencies = [
        ("fleet", "0002_row_security"),
        ("commanding", "0001_initial"),
    ]

    operations = [
        migrations.AlterModelOptions(
            name="telecommand",
            options={"base_manager_name": "objects", "ordering": ["-submitted_at", "-pk"]},
        ),
        migrations.AlterModelOptions(
            name="telecommandevent",
            options={"base_manager_name": "objects", "ordering": ["pk"]},
        ),
        migrations.RunPython(
            protect(
                commanding_telecommand="mission_sees_spacecraft(spacecraft_id)",
                commanding_telecommandevent="EXISTS (SELECT 1 FROM commanding_telecommand WHERE id = telecommand_id)",
            ),
            expose("commanding_telecommand", "commanding_telecommandevent"),
        ),
    ]
