"""Scenes: surroundings that people design in the admin."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from nb_catalog.models.base import Design


class Scene(Design):
    """Words for a model and a recipe for the local renderer."""

    CONTENT = ("prompt", "system", "renderer")

    prompt = models.TextField(
        _("words for a model"),
        help_text=_("Describe surface, light, camera and mood in sentences. Name no product."),
    )
    system = models.TextField(
        _("system instruction"),
        blank=True,
        help_text=_("Sent before the words, where a model has one."),
    )
    renderer = models.JSONField(
        _("recipe for the local renderer"), default=dict, blank=True,
        help_text=_("Surface, wall, light and props. Empty: the scene needs a model."),
    )  # fmt: skip

    class Meta(Design.Meta):
        verbose_name = _("scene")
        verbose_name_plural = _("scenes")
