from __future__ import annotations

import django.db.models.deletion
from django.db import migrations, models

from missioncontrol.kernel.row_security import expose, protect


class Migration(migrations.Migration):
    dependencies = [
        ("fleet", "0002_row_security"),
        ("accounts", "0002_consortium"),
        ("transfers", "0001_initial"),
    ]

    operations = [
        migrations.AlterModelOptions(
            name="transfer",
            options={"base_manager_name": "objects", "ordering": ["-pk"]},
        ),
        migrations.AddField(
            model_name="transfer",
            name="organisation",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="accounts.organisation",
            ),
        ),
        migrations.RunPython(
            protect(
                transfers_transfer="mission_sees(organisation_id) OR mission_sees_spacecraft(spacecraft_id)",
            ),
            expose("transfers_transfer"),
        ),
    ]
