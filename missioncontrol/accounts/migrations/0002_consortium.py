from __future__ import annotations

import django.db.models.deletion
from django.apps.registry import Apps
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

from missioncontrol.kernel.row_security import expose, protect

# What a token made before there were scopes may do: all that took no confirmation.
SCOPES = [
    "audit.view",
    "contact.view",
    "organisation.view",
    "witness.view",
    "telemetry.view",
    "alarm.acknowledge",
    "contact.cancel",
    "telecommand.view",
    "telecommand.submit",
    "transfer.cancel",
    "job.view",
    "job.submit",
    "job.cancel",
    "opening.view",
    "clock.set",
]


def know_existing_accounts(apps: Apps, _schema_editor: BaseDatabaseSchemaEditor) -> None:
    for operator in apps.get_model("accounts", "Operator").objects.all():
        first = operator.memberships.order_by("pk").first()
        operator.home_id = first.organisation_id if first is not None else None
        operator.is_service_account = operator.password.startswith("!")
        operator.save(update_fields=["home", "is_service_account"])
    apps.get_model("accounts", "ApiToken").objects.update(scopes=SCOPES)


class Migration(migrations.Migration):
    dependencies = [
        ("kernel", "0002_row_security"),
        ("accounts", "0001_initial"),
    ]

    operations = [
        migrations.AlterModelOptions(
            name="apitoken",
            options={"base_manager_name": "objects", "ordering": ["-pk"]},
        ),
        migrations.AddField(
            model_name="apitoken",
            name="scopes",
            field=models.JSONField(default=list),
        ),
        migrations.AddField(
            model_name="operator",
            name="home",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="accounts",
                to="accounts.organisation",
            ),
        ),
        migrations.AddField(
            model_name="operator",
            name="is_service_account",
            field=models.BooleanField(default=False),
        ),
        migrations.CreateModel(
            name="SingleSignOn",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("issuer", models.URLField(max_length=300)),
                ("client_id", models.CharField(max_length=200)),
                ("sealed_secret", models.TextField()),
                ("enabled", models.BooleanField(default=True)),
                (
                    "organisation",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="single_sign_on",
                        to="accounts.organisation",
                    ),
                ),
            ],
            options={
                "base_manager_name": "objects",
            },
        ),
        migrations.RunPython(know_existing_accounts, migrations.RunPython.noop),
        migrations.RunPython(
            protect(
                accounts_apitoken="mission_sees(organisation_id)",
                accounts_singlesignon="mission_sees(organisation_id)",
            ),
            expose("accounts_apitoken", "accounts_singlesignon"),
        ),
    ]
