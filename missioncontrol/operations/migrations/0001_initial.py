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
            name="Operation",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("contact_window.recompute", "Contact Window Recompute"),
                            ("log.verify", "Log Verify"),
                        ],
                        max_length=40,
                    ),
                ),
                ("parameters", models.JSONField(default=dict)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("WAITING", "waits for a worker"),
                            ("RUNNING", "is carried out"),
                            ("SUCCEEDED", "is done"),
                            ("FAILED", "failed"),
                            ("CANCELLED", "was cancelled"),
                        ],
                        default="WAITING",
                        max_length=10,
                    ),
                ),
                ("progress", models.FloatField(default=0.0)),
                ("result", models.JSONField(blank=True, null=True)),
                ("error", models.TextField(blank=True)),
                ("attempt", models.PositiveSmallIntegerField(default=0)),
                ("asked_at", models.DateTimeField()),
                ("started_at", models.DateTimeField(blank=True, null=True)),
                ("ended_at", models.DateTimeField(blank=True, null=True)),
                (
                    "asked_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "organisation",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="operations",
                        to="accounts.organisation",
                    ),
                ),
            ],
            options={
                "ordering": ["-pk"],
                "base_manager_name": "objects",
                "indexes": [
                    models.Index(
                        condition=models.Q(("state__in", ["WAITING", "RUNNING"])),
                        fields=["asked_at"],
                        name="operation_open",
                    )
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("progress__gte", 0), ("progress__lte", 1)),
                        name="operation_progress_in_range",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("ended_at", None), ("state__in", ["WAITING", "RUNNING"])),
                            models.Q(
                                ("ended_at__isnull", False),
                                ("state__in", ["SUCCEEDED", "FAILED", "CANCELLED"]),
                            ),
                            _connector="OR",
                        ),
                        name="operation_ended_has_time",
                    ),
                ],
            },
        ),
        migrations.RunPython(
            protect(operations_operation="mission_sees(organisation_id)"),
            expose("operations_operation"),
        ),
    ]
