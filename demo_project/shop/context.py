"""What every page of the shop shows."""

from __future__ import annotations

from typing import Any, NamedTuple

from django.conf import settings
from django.http import HttpRequest
from django.urls import translate_url
from django.utils.functional import SimpleLazyObject
from django.utils.translation import get_language_info

from demo_project.shop.models import Category


class Tongue(NamedTuple):
    code: str
    name: str
    url: str


def shop(request: HttpRequest) -> dict[str, Any]:
    """Categories for the menu, and this page in every language. Both are made when first used."""
    return {
        "categories": SimpleLazyObject(lambda: list(Category.objects.all())),
        "tongues": SimpleLazyObject(
            lambda: [_tongue(request, code) for code, _ in settings.LANGUAGES]
        ),
    }


def _tongue(request: HttpRequest, code: str) -> Tongue:
    return Tongue(code, get_language_info(code)["name_local"], translate_url(request.path, code))
