from __future__ import annotations

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from missioncontrol.kernel.row_security import expose, protect


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0002_consortium"),
        ("fleet", "0003_relays_and_oem"),
        ("scheduling", "0001_initial"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="ContactRequest",
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
                            ("TTC", "telemetry, tracking and command"),
                            ("DATA", "data down"),
                            ("UPLINK", "inputs up"),
                        ],
                        max_length=6,
                    ),
                ),
                ("priority", models.PositiveSmallIntegerField()),
                ("earliest", models.DateTimeField()),
                ("latest", models.DateTimeField(blank=True, null=True)),
                ("deadline", models.DateTimeField()),
                ("minimum_duration_s", models.PositiveIntegerField(default=0)),
                ("minimum_count", models.PositiveSmallIntegerField(default=1)),
                ("maximum_count", models.PositiveSmallIntegerField()),
                ("value", models.FloatField()),
                ("value_per_s", models.FloatField(default=0.0)),
                ("missing_cost", models.FloatField()),
                (
                    "state",
                    models.CharField(
                        choices=[("OPEN", "is planned for"), ("WITHDRAWN", "was withdrawn")],
                        default="OPEN",
                        max_length=9,
                    ),
                ),
                ("asked_at", models.DateTimeField()),
                ("withdrawn_at", models.DateTimeField(blank=True, null=True)),
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
                        related_name="contact_requests",
                        to="accounts.organisation",
                    ),
                ),
                (
                    "spacecraft",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="contact_requests",
                        to="fleet.spacecraft",
                    ),
                ),
            ],
            options={
                "ordering": ["-pk"],
                "base_manager_name": "objects",
            },
        ),
        migrations.AddField(
            model_name="contact",
            name="request",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="contacts",
                to="scheduling.contactrequest",
            ),
        ),
        migrations.CreateModel(
            name="Outage",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("begins", models.DateTimeField()),
                ("ends", models.DateTimeField()),
                ("planned", models.BooleanField()),
                ("reason", models.CharField(max_length=300)),
                ("declared_at", models.DateTimeField()),
                ("lifted_at", models.DateTimeField(blank=True, null=True)),
                (
                    "antenna",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="outages",
                        to="fleet.antenna",
                    ),
                ),
                (
                    "declared_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "spacecraft",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="outages",
                        to="fleet.spacecraft",
                    ),
                ),
            ],
            options={
                "ordering": ["-pk"],
            },
        ),
        migrations.CreateModel(
            name="Plan",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("begins", models.DateTimeField()),
                ("ends", models.DateTimeField()),
                ("repairs", models.BooleanField(default=False)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("PROPOSED", "waits for approval"),
                            ("APPROVED", "may be published"),
                            ("PUBLISHED", "is in force"),
                            ("SUPERSEDED", "was followed by another"),
                            ("REFUSED", "was refused"),
                        ],
                        default="PROPOSED",
                        max_length=10,
                    ),
                ),
                ("method", models.CharField(max_length=12)),
                ("objective", models.FloatField()),
                ("bound", models.FloatField(blank=True, null=True)),
                ("gap", models.FloatField(blank=True, null=True)),
                ("seed", models.PositiveBigIntegerField()),
                ("solver", models.CharField(max_length=60)),
                ("input_digest", models.CharField(max_length=80)),
                ("contact_count", models.PositiveIntegerField()),
                ("document", models.JSONField()),
                ("unserved", models.JSONField()),
                ("changes", models.JSONField()),
                ("unchanged", models.PositiveIntegerField()),
                ("left_out", models.JSONField(default=list)),
                ("proposed_at", models.DateTimeField()),
                ("improved_at", models.DateTimeField(blank=True, null=True)),
                ("decided_at", models.DateTimeField(blank=True, null=True)),
                ("published_at", models.DateTimeField(blank=True, null=True)),
                (
                    "base",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="followers",
                        to="scheduling.plan",
                    ),
                ),
                (
                    "decided_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "organisation",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="plans",
                        to="accounts.organisation",
                    ),
                ),
                (
                    "proposed_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "ordering": ["-pk"],
                "base_manager_name": "objects",
            },
        ),
        migrations.AddField(
            model_name="contact",
            name="plan",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="contacts",
                to="scheduling.plan",
            ),
        ),
        migrations.CreateModel(
            name="CalendarFeed",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("secret_sha256", models.CharField(max_length=64, unique=True)),
                ("made_at", models.DateTimeField()),
                ("revoked_at", models.DateTimeField(blank=True, null=True)),
                (
                    "made_by",
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
                        related_name="calendar_feeds",
                        to="accounts.organisation",
                    ),
                ),
                (
                    "spacecraft",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        to="fleet.spacecraft",
                    ),
                ),
                (
                    "station",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        to="fleet.groundstation",
                    ),
                ),
            ],
            options={
                "ordering": ["-pk"],
                "base_manager_name": "objects",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("spacecraft", None), ("station", None), _connector="OR"
                        ),
                        name="calendar_feed_of_one_thing",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="CongestionPrice",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("begins", models.DateTimeField()),
                ("ends", models.DateTimeField()),
                ("price", models.FloatField()),
                (
                    "antenna",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="prices",
                        to="fleet.antenna",
                    ),
                ),
            ],
            options={
                "ordering": ["begins"],
                "indexes": [models.Index(fields=["begins"], name="congestion_price_by_time")],
            },
        ),
        migrations.AddIndex(
            model_name="contactrequest",
            index=models.Index(fields=["state", "deadline"], name="contact_request_open"),
        ),
        migrations.AddConstraint(
            model_name="contactrequest",
            constraint=models.CheckConstraint(
                condition=models.Q(("deadline__gt", models.F("earliest"))),
                name="contact_request_deadline_is_later",
            ),
        ),
        migrations.AddConstraint(
            model_name="contactrequest",
            constraint=models.CheckConstraint(
                condition=models.Q(("priority__gte", 1), ("priority__lte", 5)),
                name="contact_request_priority_in_range",
            ),
        ),
        migrations.AddIndex(
            model_name="outage",
            index=models.Index(fields=["ends"], name="outage_by_end"),
        ),
        migrations.AddConstraint(
            model_name="outage",
            constraint=models.CheckConstraint(
                condition=models.Q(("ends__gt", models.F("begins"))), name="outage_ends_later"
            ),
        ),
        migrations.AddConstraint(
            model_name="outage",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("antenna", None), ("spacecraft__isnull", False)),
                    models.Q(("antenna__isnull", False), ("spacecraft", None)),
                    _connector="OR",
                ),
                name="outage_of_one_thing",
            ),
        ),
        migrations.AddConstraint(
            model_name="plan",
            constraint=models.CheckConstraint(
                condition=models.Q(("ends__gt", models.F("begins"))), name="plan_ends_later"
            ),
        ),
        migrations.AddConstraint(
            model_name="plan",
            constraint=models.UniqueConstraint(
                condition=models.Q(("state", "PUBLISHED")),
                fields=("state",),
                name="plan_in_force_is_one",
            ),
        ),
        migrations.RunPython(
            protect(
                scheduling_contactrequest="mission_sees(organisation_id) OR mission_sees_spacecraft(spacecraft_id)",
                scheduling_plan="mission_sees(organisation_id)",
                scheduling_calendarfeed="mission_sees(organisation_id)",
            ),
            expose("scheduling_contactrequest", "scheduling_plan", "scheduling_calendarfeed"),
        ),
    ]
