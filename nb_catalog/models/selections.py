"""What somebody has selected in a list of products, kept between two pages of the admin."""

from __future__ import annotations

from django.conf import settings
from django.db import models


class ProductSelection(models.Model):
    """Keys of catalog objects of the model ``label``, as text. Only the latest ones of a user are kept.

    A table, because sessions may be stored in a cookie, which holds a few hundred keys at most.
    """

    token = models.CharField(max_length=32, unique=True)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    label = models.CharField(max_length=120)
    keys = models.JSONField()

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return self.token
