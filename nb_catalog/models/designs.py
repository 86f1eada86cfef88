"""What people design in the admin, named, ordered, versioned: scenes and text layouts."""

from __future__ import annotations

from typing import Any, ClassVar

from django.core.exceptions import ValidationError
from django.core.validators import MinValueValidator
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from nb_catalog.models.images import CatalogFileField
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
    # Not auto_now_add: fixtures have no time.
    created_at = models.DateTimeField(_("created"), default=timezone.now, editable=False)

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
    """A background: a prompt for models, and options for the local renderer or a photo of a place.

    With a photo, the local renderer composes on it and models get it as a reference. Its file is named by
    its hash and stays when the scene gets another one, because jobs and pictures refer to it.
    ``backdrop_origin`` is the term of how it was made, as in ``ProductImage``.
    """

    CONTENT = (
        "prompt",
        "system",
        "renderer",
        "backdrop_sha256",
        "backdrop_place",
        "backdrop_origin",
    )

    prompt = models.TextField(
        _("prompt"),
        blank=True,
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

    backdrop = CatalogFileField(_("photo of the place"), max_length=200, blank=True)
    backdrop_sha256 = models.CharField(max_length=64, blank=True, default="", editable=False)
    backdrop_width = models.PositiveIntegerField(default=0, editable=False)
    backdrop_height = models.PositiveIntegerField(default=0, editable=False)
    backdrop_origin = models.CharField(
        _("origin of the photo"), max_length=60, blank=True, default="", editable=False
    )
    backdrop_place = models.JSONField(
        _("place in the photo"), default=dict, blank=True,
        help_text=_("Where the product goes, and where the light comes from."),
    )  # fmt: skip

    class Meta(Design.Meta):
        verbose_name = _("scene")
        verbose_name_plural = _("scenes")

    @property
    def is_local(self) -> bool:
        """Whether pictures in this scene can be made without a model."""
        return bool(self.renderer or self.backdrop_sha256)

    @property
    def local_options(self) -> dict[str, Any]:
        """The options for a provider that renders: a place in the photo if there is one, or a recipe."""
        if not self.backdrop_sha256:
            options: dict[str, Any] = self.renderer
            return options
        return {"place": self.backdrop_place, "origin": self.backdrop_origin}


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
