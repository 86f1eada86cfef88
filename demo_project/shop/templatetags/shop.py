"""``{{ product|price }}``."""

from __future__ import annotations

from django import template
from django.utils.translation import get_language

from demo_project.shop.models import Bundle, Product
from demo_project.shop.prices import written

register = template.Library()


@register.filter
def price(article: Product | Bundle) -> str:
    """The price of an article as the page's language writes it."""
    return written(article.price, currency=article.currency, locale=get_language() or "en")
