"""Copy decks: texts for pictures by role and locale, written and accepted in the admin."""

from __future__ import annotations

from collections import defaultdict
from typing import Final

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from nb_catalog.models.designs import Design

# Characters of one text; far more than fit on a picture.
LONGEST_TEXT: Final = 1000


class CopyDeck(Design):
    """``locale`` is the one that texts are written in and translated from. ``version`` is incremented
    whenever a text changes (``copydecks.services``)."""

    locale = models.CharField(
        _("written in"),
        max_length=20,
        help_text=_("The language that the texts are translated from."),
    )

    class Meta(Design.Meta):
        verbose_name = _("copy deck")
        verbose_name_plural = _("copy decks")

    @property
    def texts_by_locale(self) -> dict[str, dict[str, str]]:
        """Locale -> role -> text, without proposals."""
        texts: dict[str, dict[str, str]] = defaultdict(dict)
        for text in self.texts.filter(proposed_by=""):
            texts[text.locale][text.role] = text.text
        return dict(texts)


class CopyText(models.Model):
    """One text. ``proposed_by`` is the provider that proposed it, empty once a person has accepted it;
    proposals are never used on pictures."""

    deck = models.ForeignKey(
        CopyDeck, verbose_name=_("copy deck"), on_delete=models.CASCADE, related_name="texts"
    )
    locale = models.CharField(_("language"), max_length=20)
    role = models.SlugField(_("role"), max_length=60)
    text = models.TextField(_("text"), max_length=LONGEST_TEXT)
    proposed_by = models.CharField(_("proposed by"), max_length=120, blank=True, default="")
    changed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, verbose_name=_("changed by"), null=True, blank=True,
        on_delete=models.SET_NULL, related_name="+",
    )  # fmt: skip
    changed_at = models.DateTimeField(_("changed"), auto_now=True)

    class Meta:
        ordering = ("deck", "locale", "role")
        verbose_name = _("text")
        verbose_name_plural = _("texts")
        constraints = [
            models.UniqueConstraint(fields=["deck", "locale", "role"], name="nb_text_once")
        ]

    def __str__(self) -> str:
        return f"{self.locale} {self.role}"
