"""Requests to the API that were carried out under a key of their clients."""

from __future__ import annotations

from django.core.serializers.json import DjangoJSONEncoder
from django.db import models


class IdempotencyKey(models.Model):
    """One request. ``digest`` is the SHA-256 of user, address and key.

    ``body`` has a digest of each value by its field's name; ``response`` is what a repetition returns.
    """

    digest = models.CharField(max_length=64, editable=False)
    body = models.JSONField(default=dict, editable=False)
    response = models.JSONField(null=True, editable=False, encoder=DjangoJSONEncoder)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        default_permissions = ()
        # Not `unique=True`: on PostgreSQL Django would add a second index, for prefix searches.
        constraints = [models.UniqueConstraint(fields=["digest"], name="nb_request_once")]
        indexes = [models.Index(fields=["created_at"], name="nb_request_made")]

    def __str__(self) -> str:
        return self.digest[:8]
