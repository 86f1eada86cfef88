"""What several commands read from their arguments."""

from django.core.exceptions import ValidationError
from django.core.management.base import CommandError
from django.utils.translation import gettext as _

from nb_catalog.registry import source_for


def product_of(text):
    """Return the product of ``text``, such as "shop.product:12", an argument of ``--product``.

    Raises ``CommandError`` if there is none, also for a key that no product can have; ``NotRegistered``.
    """
    label, _colon, key = text.partition(":")
    try:
        product = source_for(label).queryset().filter(pk=key).first()
    except (ValueError, OverflowError, ValidationError):
        product = None
    if product is None:
        raise CommandError(_("--product %s: there is no such product.") % text)
    return product
