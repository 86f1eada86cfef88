"""Scenes: surroundings that people design in the admin."""

from __future__ import annotations

from typing import Any

from django.core.validators import MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _


class SceneManager(models.Manager):  # type: ignore[type-arg]
    def get_by_natural_key(self, key: str) -> Scene:
        scene: Scene = self.get(key=key)
        return scene


class Scene(models.Model):
    """Words for a model and a recipe for the local renderer. ``version`` rises when they change."""

    CONTENT = ("words", "system", "renderer")

    key = models.SlugField(_("key"), max_length=60, unique=True)
    name = models.CharField(_("name"), max_length=80)
    words = models.TextField(
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
    version = models.PositiveIntegerField(
        _("version"), default=1, editable=False, validators=[MinValueValidator(1)]
    )
    position = models.PositiveSmallIntegerField(_("position"), default=0)
    is_active = models.BooleanField(_("offered"), default=True)

    objects = SceneManager()

    class Meta:
        ordering = ("position", "name")
        verbose_name = _("scene")
        verbose_name_plural = _("scenes")

    def __str__(self) -> str:
        return self.name

    def save(self, *args: Any, **options: Any) -> None:
        stored = type(self).objects.filter(pk=self.pk).values(*self.CONTENT, "version").first()
        if stored and any(stored[name] != getattr(self, name) for name in self.CONTENT):
            self.version = stored["version"] + 1
            if options.get("update_fields") is not None:
                options["update_fields"] = {*options["update_fields"], "version"}
        super().save(*args, **options)

    def natural_key(self) -> tuple[str]:
        return (self.key,)
