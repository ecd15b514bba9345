from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("operations", "0001_initial"),
    ]

    operations = [
        migrations.AlterField(
            model_name="operation",
            name="kind",
            field=models.CharField(
                choices=[
                    ("contact_window.recompute", "Contact Window Recompute"),
                    ("log.verify", "Log Verify"),
                    ("plan.propose", "Plan Propose"),
                ],
                max_length=40,
            ),
        ),
    ]
