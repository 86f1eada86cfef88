"""Large runs whose jobs are still being written."""

from __future__ import annotations

from django.db import models

from nb_catalog.models.jobs import Run


class RunStart(models.Model):
    """A run too large for the request that started it: workers write its jobs, a block of products at a
    time, and delete this row with the last block.

    ``request`` is what its planner needs to plan again. ``turn`` is that of the next job, null before the
    first one. ``lease_owner`` is the worker that writes it until ``lease_until``, ``deaths`` the number of
    workers in a row that died without writing a block, and ``error`` why writing stopped: it goes on
    when a person retries the run.
    """

    run = models.OneToOneField(
        Run, primary_key=True, on_delete=models.CASCADE, related_name="start"
    )
    label = models.CharField(max_length=200, editable=False)
    request = models.JSONField(editable=False)
    priority = models.SmallIntegerField(default=0)
    turn = models.BigIntegerField(null=True, editable=False)
    products = models.PositiveIntegerField()
    written = models.PositiveIntegerField(default=0)
    deaths = models.PositiveSmallIntegerField(default=0)
    lease_owner = models.CharField(max_length=40, blank=True, default="", editable=False)
    lease_until = models.DateTimeField(null=True, editable=False)
    error = models.TextField(blank=True, default="")

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.run_id}: {self.written}/{self.products}"


class RunStartBlock(models.Model):
    """Keys of products whose jobs are not written yet. Deleted in the transaction that writes them."""

    start = models.ForeignKey(RunStart, on_delete=models.CASCADE, related_name="blocks")
    keys = models.JSONField()

    class Meta:
        ordering = ("id",)
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.start_id}: {len(self.keys)}"
