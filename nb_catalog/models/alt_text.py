"""Alternative texts of pictures: those in use, and proposals."""

from __future__ import annotations

from typing import Final

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from nb_catalog.models.images import ProductImage

# Characters. WCAG 2.2 has no limit; anything longer belongs in the page's own text.
LONGEST_ALT: Final = 500


class AltText(models.Model):
    """The alternative text of one picture in one language, written or accepted by a person."""

    image = models.ForeignKey(
        ProductImage, verbose_name=_("image"), on_delete=models.CASCADE, related_name="alts"
    )
    locale = models.CharField(_("language"), max_length=20)
    text = models.CharField(_("text"), max_length=LONGEST_ALT)
    changed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, verbose_name=_("changed by"), null=True, blank=True,
        on_delete=models.SET_NULL, related_name="+",
    )  # fmt: skip
    changed_at = models.DateTimeField(_("changed"), auto_now=True)

    class Meta:
        ordering = ("image", "locale")
        verbose_name = _("alternative text")
        verbose_name_plural = _("alternative texts")
        constraints = [models.UniqueConstraint(fields=["image", "locale"], name="nb_alt_once")]

    def __str__(self) -> str:
        return f"{self.image_id} {self.locale}"


def copy_alt_texts(picture: ProductImage, *, to: ProductImage) -> None:
    """Give ``to``, which shows the same, the alternative texts of ``picture`` in the languages that it has
    none in. Two queries, and one if there are any."""
    written = set(to.alts.values_list("locale", flat=True))
    AltText.objects.bulk_create(
        [
            AltText(image=to, locale=each.locale, text=each.text, changed_by_id=each.changed_by_id)
            for each in picture.alts.all()
            if each.locale not in written
        ]
    )


class AltProposal(models.Model):
    """A model's proposal for one picture in one language. In its own table: the storefront never reads it."""

    image = models.ForeignKey(
        ProductImage, verbose_name=_("image"), on_delete=models.CASCADE,
        related_name="alt_proposals",
    )  # fmt: skip
    locale = models.CharField(_("language"), max_length=20)
    text = models.CharField(_("text"), max_length=LONGEST_ALT)
    proposed_by = models.CharField(_("proposed by"), max_length=120)
    proposed_at = models.DateTimeField(_("proposed"), auto_now=True)

    class Meta:
        ordering = ("image", "locale")
        verbose_name = _("proposed alternative text")
        verbose_name_plural = _("proposed alternative texts")
        constraints = [
            models.UniqueConstraint(fields=["image", "locale"], name="nb_alt_proposed_once")
        ]

    def __str__(self) -> str:
        return f"{self.image_id} {self.locale}"
