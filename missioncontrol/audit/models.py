from __future__ import annotations

from django.db import models


class AuditEntry(models.Model):
    """One fact in the consortium log: written with the change it tells of, never changed.

    ``entry`` holds the canonical octets that are hashed; the other columns are
    copies of it to search by. ``log_index`` is empty until the sequencer has
    put the entry into the tree.
    """

    log_index = models.PositiveBigIntegerField(null=True, blank=True, unique=True)
    action = models.CharField(max_length=60, db_index=True)
    subject = models.CharField(max_length=120, db_index=True)
    actor = models.CharField(max_length=160)
    organisation = models.CharField(max_length=60, blank=True)
    at = models.DateTimeField()
    entry = models.BinaryField()
    leaf_hash = models.BinaryField(max_length=32)

    class Meta:
        indexes = [
            models.Index(
                fields=["id"],
                name="audit_waiting_for_index",
                condition=models.Q(log_index=None),
            )
        ]

    def __str__(self) -> str:
        return f"{self.action} {self.subject} by {self.actor}"


class Checkpoint(models.Model):
    """The signed tree head as last published; the file in LOG_DIR is its twin."""

    size = models.PositiveBigIntegerField(unique=True)
    root = models.BinaryField(max_length=32)
    note = models.TextField()
    published_at = models.DateTimeField()

    class Meta:
        get_latest_by = "size"

    def __str__(self) -> str:
        return f"checkpoint of {self.size} entries"
