from __future__ import annotations

from django.db import migrations

from missioncontrol.kernel.row_security import drop_functions, make_functions


class Migration(migrations.Migration):
    dependencies = [("kernel", "0001_initial")]

    operations = [migrations.RunPython(make_functions, drop_functions)]
