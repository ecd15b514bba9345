from __future__ import annotations

import django.db.models.deletion
from django.db import migrations, models

from missioncontrol.kernel.row_security import expose, protect


class Migration(migrations.Migration):
    dependencies = [
        ("fleet", "0002_row_security"),
        ("telemetry", "0003_input_counts"),
    ]

    operations = [
        migrations.CreateModel(
            name="ChannelFrames",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("station", models.CharField(max_length=40)),
                ("virtual_channel", models.PositiveSmallIntegerField()),
                ("hour", models.DateTimeField()),
                ("frames_good", models.PositiveBigIntegerField(default=0)),
                ("frames_lost", models.PositiveBigIntegerField(default=0)),
                (
                    "spacecraft",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="channel_frames",
                        to="fleet.spacecraft",
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "channel frames",
                "ordering": ["spacecraft", "station", "virtual_channel", "hour"],
                "base_manager_name": "objects",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("spacecraft", "station", "virtual_channel", "hour"),
                        name="channel_frames_counted_once",
                    )
                ],
            },
        ),
        migrations.AddField(
            model_name="badframe",
            name="fault",
            field=models.CharField(blank=True, default="", max_length=40),
            preserve_default=False,
        ),
        migrations.RunPython(
            protect(telemetry_channelframes="mission_sees_spacecraft(spacecraft_id)"),
            expose("telemetry_channelframes"),
        ),
    ]
