"""Copy decks: texts for pictures by role and locale, written and accepted in the admin."""

from __future__ import annotations

from collections import defaultdict
from typing import Final

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext_lazy as _

from nb_catalog.core.text import unwritable
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
    proposals are never used on pictures. ``note`` says why it is a proposal.

    A cell has at most one text and one proposal: writers lock the deck (``copydecks.cells``).
    """

    deck = models.ForeignKey(
        CopyDeck, verbose_name=_("copy deck"), on_delete=models.CASCADE, related_name="texts"
    )
    locale = models.CharField(_("language"), max_length=20)
    role = models.SlugField(_("role"), max_length=60)
    text = models.TextField(_("text"), max_length=LONGEST_TEXT)
    proposed_by = models.CharField(_("proposed by"), max_length=120, blank=True, default="")
    note = models.CharField(_("note"), max_length=300, blank=True, default="")
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
            models.UniqueConstraint(
                fields=["deck", "locale", "role", "proposed_by"], name="nb_text_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.locale} {self.role}"

    def clean(self) -> None:
        """Refuse what nobody means to type. ``copydecks.validation`` knows the fonts and placeholders too."""
        if problems := unwritable(self.text):
            raise ValidationError({"text": problems})


class DeckImport(models.Model):
    """Texts that were brought into a deck at once, or a preview of them: who, when, from where, what.

    ``changes`` has each changed cell before and after (``copydecks.types.CellChange``): applying and
    undoing it are refused where a cell holds something else by then.
    """

    deck = models.ForeignKey(
        CopyDeck, verbose_name=_("copy deck"), on_delete=models.CASCADE, related_name="imports"
    )
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, verbose_name=_("by"), null=True, on_delete=models.SET_NULL,
        related_name="+",
    )  # fmt: skip
    origin = models.CharField(_("from"), max_length=120)
    changes = models.JSONField(_("changes"))
    warnings = models.JSONField(_("warnings"), default=list)
    unchanged = models.PositiveIntegerField(_("unchanged"), default=0)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    applied_at = models.DateTimeField(_("applied"), null=True)
    undone_at = models.DateTimeField(_("undone"), null=True)
    undone_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, verbose_name=_("undone by"), null=True,
        on_delete=models.SET_NULL, related_name="+",
    )  # fmt: skip

    class Meta:
        ordering = ("-pk",)
        default_permissions = ()
        verbose_name = _("import of texts")
        verbose_name_plural = _("imports of texts")

    def __str__(self) -> str:
        return self.origin
