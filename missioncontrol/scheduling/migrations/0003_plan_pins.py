from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("scheduling", "0002_planning")]

    operations = [
        migrations.AddField(model_name="plan", name="pins", field=models.JSONField(default=list)),
    ]
