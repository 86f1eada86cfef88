"""Comments of reviewers on pictures. Append only."""

from __future__ import annotations

from typing import Final
from uuid import UUID, uuid4

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from nb_catalog.core.text import strip_unstorable
from nb_catalog.core.types import Actor
from nb_catalog.exceptions import RequestRefused
from nb_catalog.models import ProductImage, ReviewComment

LONGEST: Final = 2000


def comment(
    image: ProductImage, text: str, *, actor: Actor, key: UUID | None = None
) -> ReviewComment:
    """Write a comment on ``image``; under a ``key`` that ``actor`` has used before, return that comment.

    Raises ``RequestRefused`` for a text that is empty or longer than ``LONGEST``.
    """
    text = strip_unstorable(text).strip()
    if not text:
        raise RequestRefused(_("Write a comment first."))
    if len(text) > LONGEST:
        message = _("The comment has %(length)d characters. At most %(longest)d are possible.")
        raise RequestRefused(message % {"length": len(text), "longest": LONGEST})
    key = key or uuid4()
    with transaction.atomic():
        try:
            with transaction.atomic():
                return ReviewComment.objects.create(key=key, image=image, author=actor, text=text)
        except IntegrityError:
            rows = ReviewComment.objects.filter(author=actor, key=key)
            return rows.select_for_update().get()
