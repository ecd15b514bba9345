from __future__ import annotations

import django.db.models.deletion
from django.db import migrations, models

from missioncontrol.kernel.row_security import expose, protect


class Migration(migrations.Migration):
    dependencies = [
        ("fleet", "0002_row_security"),
        ("telemetry", "0002_row_security"),
    ]

    operations = [
        migrations.CreateModel(
            name="InputCounts",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("name", models.CharField(max_length=30)),
                ("units", models.PositiveBigIntegerField(default=0)),
                ("octets", models.PositiveBigIntegerField(default=0)),
                ("rejected", models.PositiveBigIntegerField(default=0)),
                ("dropped", models.PositiveBigIntegerField(default=0)),
                ("connections", models.PositiveBigIntegerField(default=0)),
                ("last_received_at", models.DateTimeField(blank=True, null=True)),
                ("last_dropped_at", models.DateTimeField(blank=True, null=True)),
                ("last_drop_reason", models.CharField(blank=True, max_length=80)),
                (
                    "spacecraft",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="inputs",
                        to="fleet.spacecraft",
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "input counts",
                "ordering": ["spacecraft", "name"],
                "base_manager_name": "objects",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("spacecraft", "name"), name="input_counted_once"
                    )
                ],
            },
        ),
        migrations.RunPython(
            protect(telemetry_inputcounts="mission_sees_spacecraft(spacecraft_id)"),
            expose("telemetry_inputcounts"),
        ),
    ]
