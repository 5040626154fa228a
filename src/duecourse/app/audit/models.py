"""One event per act, chained by hashes. Rows are only ever added: a trigger in the database refuses anything else."""

from __future__ import annotations

from django.db import models


class AuditEvent(models.Model):
    """One thing that was done. People and papers stand in it by id only, so that erasing a name breaks no hash."""

    chain = models.CharField(max_length=40)
    seq = models.PositiveBigIntegerField()
    at = models.DateTimeField()
    code = models.CharField(max_length=80)
    actor_id = models.BigIntegerField(null=True)
    entity_id = models.BigIntegerField(null=True)
    subject_kind = models.CharField(max_length=40)
    subject_id = models.CharField(max_length=80)
    facts = models.JSONField()
    previous_hash = models.CharField(max_length=64)
    hash = models.CharField(max_length=64)

    class Meta:
        """No gaps and no doubles within a chain; the newest first is what people read."""

        constraints = [models.UniqueConstraint(fields=["chain", "seq"], name="audit_one_event_per_place")]
        indexes = [
            models.Index(fields=["-at", "-id"], name="audit_newest"),
            models.Index(fields=["subject_kind", "subject_id"], name="audit_subject"),
        ]

    def __str__(self) -> str:
        return f"{self.chain} {self.seq} {self.code}"


class ChainHead(models.Model):
    """The last event of a chain. Its row is the lock by which writers of one chain wait for each other."""

    chain = models.CharField(max_length=40, primary_key=True)
    seq = models.PositiveBigIntegerField()
    hash = models.CharField(max_length=64)

    def __str__(self) -> str:
        return f"{self.chain} {self.seq}"
