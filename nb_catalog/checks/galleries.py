"""The galleries of catalog sources."""

from __future__ import annotations

from typing import Any, Final

from django.conf import settings as django_settings
from django.core.checks import CheckMessage, Error

from nb_catalog.registry import gallery_problems, registered

IDS: Final = {
    "fields": "nb_catalog.E060",
    "slot": "nb_catalog.E061",
    "locale": "nb_catalog.E062",
    "shared": "nb_catalog.E063",
}


def check_galleries(**_options: Any) -> list[CheckMessage]:
    """Check that galleries name fields, slots and languages that exist, and that no two share a field."""
    locales = dict(django_settings.LANGUAGES)
    return [
        Error(what, hint=instead, obj=type(source), id=IDS[kind])
        for source in registered().values()
        for kind, what, instead in gallery_problems(source, locales=locales)
    ]
