from __future__ import annotations

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from missioncontrol.kernel.row_security import expose, protect


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("kernel", "0002_row_security"),
        ("accounts", "0002_consortium"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="KeptAnswer",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("key", models.CharField(max_length=80)),
                ("request_digest", models.CharField(max_length=64)),
                ("scopes", models.JSONField()),
                ("status", models.PositiveSmallIntegerField(default=0)),
                ("headers", models.JSONField(default=dict)),
                ("sealed_body", models.TextField(blank=True)),
                ("asked_at", models.DateTimeField(db_index=True)),
                (
                    "operator",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "organisation",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="accounts.organisation",
                    ),
                ),
            ],
            options={
                "base_manager_name": "objects",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("organisation", "operator", "key"), name="kept_answer_once"
                    )
                ],
            },
        ),
        migrations.RunPython(
            protect(api_keptanswer="mission_sees(organisation_id)"), expose("api_keptanswer")
        ),
    ]
