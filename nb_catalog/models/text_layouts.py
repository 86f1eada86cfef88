"""Layouts: where words stand on pictures, designed in the admin."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext_lazy as _

from nb_catalog.models.base import Design
from nb_catalog.typesetting.layouts import Layout


class TextLayout(Design):
    """A ``layouts.Layout`` as its mapping."""

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
        """Raises ``ValueError`` for content that was written past the form."""
        return Layout.from_mapping(self.content)

    def clean(self) -> None:
        try:
            Layout.from_mapping(self.content)
        except ValueError as error:
            raise ValidationError({"content": str(error)}, code="layout") from error
