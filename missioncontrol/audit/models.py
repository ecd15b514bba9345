from __future__ import annotations

from django.db import models

from missioncontrol.audit.opening_rows import OpeningRows


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
            ),
            models.Index(fields=["leaf_hash"], name="audit_entry_by_leaf_hash"),
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


class Witness(models.Model):
    """A member's witness: asked to cosign every checkpoint, so that no second history can pass.

    Rows stay when a witness is retired: its cosignatures point to them, and an
    installation that once had witnesses never falls back to going without.
    """

    name = models.CharField(max_length=100)
    organisation = models.CharField(max_length=60)  # slug of the member who runs it
    vkey = models.CharField(max_length=300)
    url = models.URLField(max_length=300)  # /add-checkpoint follows
    active = models.BooleanField(default=True)
    last_size = models.PositiveBigIntegerField(default=0)  # what it said it knows
    cosigned_size = models.PositiveBigIntegerField(default=0)  # the largest that it cosigned here
    last_seen_at = models.DateTimeField(null=True, blank=True)
    last_error = models.CharField(max_length=500, blank=True)  # of the last time it was asked

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["vkey"], name="audit_witness_key_once"),
            models.UniqueConstraint(
                fields=["name"], condition=models.Q(active=True), name="audit_witness_name_once"
            ),
            # One member, one voice: the arithmetic of the quorum counts members.
            models.UniqueConstraint(
                fields=["organisation"],
                condition=models.Q(active=True),
                name="audit_witness_one_for_organisation",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class Cosignature(models.Model):
    """A witness's verified statement that a checkpoint extends all it saw before."""

    checkpoint = models.ForeignKey(
        Checkpoint, on_delete=models.PROTECT, related_name="cosignatures"
    )
    witness = models.ForeignKey(Witness, on_delete=models.PROTECT, related_name="cosignatures")
    line = models.TextField()  # as it stands under the note, without its newline
    timestamp_s = models.PositiveBigIntegerField()  # POSIX time that the witness signed

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["checkpoint", "witness"], name="audit_cosignature_once"
            )
        ]

    def __str__(self) -> str:
        return f"cosignature of {self.witness} on {self.checkpoint}"


class Opening(models.Model):
    """What stands behind an entry's commitment: kept apart, shown to few, and erasable.

    The row stays when payload and salt are erased, and tells who did it and why.
    """

    entry = models.OneToOneField(
        # The database alone looks after it: entries are not deleted.
        AuditEntry,
        on_delete=models.DO_NOTHING,
        primary_key=True,
        related_name="+",
    )
    owner = models.CharField(max_length=60, db_index=True)  # slug: whose business it is
    payload = models.BinaryField(null=True)
    salt = models.BinaryField(null=True, max_length=32)
    erased_at = models.DateTimeField(null=True, blank=True)
    erased_by = models.CharField(max_length=160, blank=True)
    erasure_reason = models.CharField(max_length=300, blank=True)

    objects = OpeningRows()

    class Meta:
        base_manager_name = "objects"
        constraints = [
            models.CheckConstraint(
                condition=models.Q(
                    payload__isnull=False, salt__isnull=False, erased_at=None, erased_by=""
                )
                | (
                    models.Q(payload=None, salt=None, erased_at__isnull=False)
                    & ~models.Q(erased_by="")
                ),
                name="audit_opening_whole_or_erased",
            )
        ]

    def __str__(self) -> str:
        return f"opening of the entry in row {self.pk}"


class OpeningReader(models.Model):
    """A further organisation that may read an opening."""

    opening = models.ForeignKey(Opening, on_delete=models.PROTECT, related_name="readers")
    organisation = models.CharField(max_length=60)  # slug

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["organisation", "opening"], name="audit_opening_reader_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.organisation} reads the {self.opening_id}"
