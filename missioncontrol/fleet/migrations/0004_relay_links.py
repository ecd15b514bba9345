from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("fleet", "0003_relays_and_oem")]

    operations = [
        migrations.AddField(
            model_name="spacecraft",
            name="relay_links",
            field=models.PositiveSmallIntegerField(default=0),
        ),
    ]
