from __future__ import annotations

from django.db import models


class ClockAnchor(models.Model):
    """The one row that ties mission time to the machine's clock.

    Without a row mission time is UTC. A rehearsal has a row: mission time was
    ``mission_time`` at ``wall_time`` and runs ``factor`` times as fast.
    """

    mission_time = models.DateTimeField()
    wall_time = models.DateTimeField()
    factor = models.FloatField()
    frozen = models.BooleanField(default=False)
    # Last mission time that the supervisor saw: where a killed rehearsal goes on.
    last_seen = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=models.Q(pk=1), name="clock_anchor_is_one_row"),
            models.CheckConstraint(
                condition=models.Q(factor__gt=0), name="clock_anchor_factor_positive"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.mission_time:%Y-%m-%d %H:%M:%SZ} at {self.factor:g}x"
