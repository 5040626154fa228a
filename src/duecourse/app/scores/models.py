"""What was predicted: one run over the books of an entity, and a score for each invoice that was open."""

from __future__ import annotations

from django.db import models


class Run(models.Model):
    """One prediction of all open invoices of an entity, as of a morning, from a snapshot."""

    entity = models.ForeignKey("books.Entity", models.PROTECT, related_name="+")
    made_at = models.DateTimeField()
    as_of = models.DateField()
    snapshot_hash = models.CharField(max_length=64)
    model_id = models.CharField(max_length=64, blank=True)
    model_fitted_on = models.DateField(null=True)
    gate_says = models.TextField()
    notes = models.JSONField()
    rungs = models.JSONField()

    class Meta:
        """The newest first."""

        ordering = ["-pk"]

    def __str__(self) -> str:
        return f"predictions as of {self.as_of}"


class Score(models.Model):
    """The prediction of one open invoice: the columns of the contract (cli.md). Kept for the newest run only."""

    run = models.ForeignKey(Run, models.CASCADE, related_name="scores")
    invoice_id, customer_id = models.TextField(), models.TextField()
    open_minor, currency = models.BigIntegerField(), models.CharField(max_length=3)
    days_late, segment = models.IntegerField(), models.CharField(max_length=20)
    p_late, p_late_30, p_late_60 = models.FloatField(), models.FloatField(), models.FloatField()
    p_never = models.FloatField()
    paid_on_p10, paid_on_p50 = models.DateField(null=True), models.DateField(null=True)
    paid_on_p90, expected_days = models.DateField(null=True), models.FloatField()
    reasons, rung = models.JSONField(), models.CharField(max_length=20)

    class Meta:
        """One score per invoice and run; listed by what is open."""

        constraints = [models.UniqueConstraint(fields=["run", "invoice_id"], name="scores_one_per_invoice")]
        indexes = [
            models.Index(fields=["run", "-open_minor"], name="scores_by_open"),
            models.Index(fields=["run", "customer_id"], name="scores_by_customer"),
        ]

    def __str__(self) -> str:
        return self.invoice_id
