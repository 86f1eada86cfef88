"""Template context of every page of the shop."""

from __future__ import annotations

from typing import Any, NamedTuple

from django.conf import settings
from django.http import HttpRequest
from django.urls import translate_url
from django.utils.functional import SimpleLazyObject
from django.utils.translation import get_language_info

from demo_project.shop.models import Category


class LanguageLink(NamedTuple):
    code: str
    name: str
    url: str


def shop(request: HttpRequest) -> dict[str, Any]:
    """Return the menu's categories and links to this page in every language, both lazy."""
    return {
        "categories": SimpleLazyObject(lambda: list(Category.objects.all())),
        "language_links": SimpleLazyObject(
            lambda: [
                LanguageLink(
                    code, get_language_info(code)["name_local"], translate_url(request.path, code)
                )
                for code, _ in settings.LANGUAGES
            ]
        ),
    }
