"""``{{ product|price }}``."""

from __future__ import annotations

from django import template
from django.utils.translation import get_language

from demo_project.shop.models import Bundle, Product
from nb_catalog.core import Money, format_value

register = template.Library()


@register.filter
def price(article: Product | Bundle) -> str:
    """Format the price of an article for the active language."""
    return format_value(Money(article.price, article.currency), get_language() or "en")
