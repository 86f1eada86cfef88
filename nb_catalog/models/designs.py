"""What people design in the admin, named, ordered, versioned: scenes and text layouts."""

from __future__ import annotations

from typing import Any, ClassVar

from django.core.exceptions import ValidationError
from django.core.validators import MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from nb_catalog.typesetting.layouts import Layout


class DesignManager(models.Manager):  # type: ignore[type-arg]
    def get_by_natural_key(self, key: str) -> Any:
        return self.get(key=key)


class Design(models.Model):
    """``version`` is incremented when one of ``CONTENT`` changes; specs record the one they were made
    from."""

    CONTENT: ClassVar[tuple[str, ...]] = ()

    key = models.SlugField(_("key"), max_length=60, unique=True)
    name = models.CharField(_("name"), max_length=80)
    version = models.PositiveIntegerField(
        _("version"), default=1, editable=False, validators=[MinValueValidator(1)]
    )
    position = models.PositiveSmallIntegerField(_("position"), default=0)
    is_active = models.BooleanField(_("offered"), default=True)

    objects = DesignManager()

    class Meta:
        abstract = True
        ordering = ("position", "name")

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


class Scene(Design):
    """A background: a prompt for models, and options for the local renderer."""

    CONTENT = ("prompt", "system", "renderer")

    prompt = models.TextField(
        _("prompt"),
        help_text=_("Describe surface, light, camera and mood in sentences. Name no product."),
    )
    system = models.TextField(
        _("system instruction"),
        blank=True,
        help_text=_("Sent before the prompt, if the model supports it."),
    )
    renderer = models.JSONField(
        _("options for the local renderer"), default=dict, blank=True,
        help_text=_("Surface, wall, light and props. Empty: the scene needs a model."),
    )  # fmt: skip

    class Meta(Design.Meta):
        verbose_name = _("scene")
        verbose_name_plural = _("scenes")


class TextLayout(Design):
    """Where text is placed on pictures. ``content`` is a ``layouts.Layout`` as a mapping."""

    CONTENT = ("content",)

    content = models.JSONField(
        _("boxes and panels"),
        help_text=_("Places are shares of the picture, from the side where lines start."),
    )

    class Meta(Design.Meta):
        verbose_name = _("layout")
        verbose_name_plural = _("layouts")

    @property
    def layout(self) -> Layout:
        """Return the layout. Raises ``ValueError`` for content that bypassed the form."""
        return Layout.from_mapping(self.content)

    def clean(self) -> None:
        try:
            Layout.from_mapping(self.content)
        except ValueError as error:
            raise ValidationError({"content": str(error)}, code="layout") from error
