"""Who judged which picture, and why. Append only."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from nb_catalog.core.states import ImageState
from nb_catalog.models.images import ProductImage


class ReviewEvent(models.Model):
    """One move of an image, written in the transaction that made it."""

    image = models.ForeignKey(
        ProductImage,
        verbose_name=_("image"),
        on_delete=models.CASCADE,
        related_name="review_events",
    )
    move = models.CharField(_("decision"), max_length=20)
    state = models.CharField(_("state afterwards"), max_length=10, choices=ImageState)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, verbose_name=_("by"), null=True, on_delete=models.SET_NULL,
        related_name="+",
    )  # fmt: skip
    note = models.TextField(_("note"), blank=True)
    at = models.DateTimeField(_("at"), auto_now_add=True)

    class Meta:
        ordering = ("id",)
        verbose_name = _("review event")
        verbose_name_plural = _("review events")

    def __str__(self) -> str:
        return f"{self.move} {self.image_id}"
