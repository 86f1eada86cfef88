"""``nb_catalog.contrib.wagtail`` in ``INSTALLED_APPS``: the pages of this app inside Wagtail's admin."""

from __future__ import annotations

from typing import Any

from django.apps import AppConfig, apps
from django.core import checks
from django.utils.translation import gettext_lazy as _


class WagtailConfig(AppConfig):
    name = "nb_catalog.contrib.wagtail"
    label = "nb_catalog_wagtail"
    verbose_name = _("Catalog images in Wagtail")

    def ready(self) -> None:
        checks.register(check_wagtail, "nb_catalog")


def check_wagtail(app_configs: Any = None, **options: Any) -> list[checks.CheckMessage]:
    """Check that what the pages need is installed. An id in docs/checks.md."""
    needed = ("nb_catalog", "django.contrib.admin", "wagtail.admin")
    missing = [each for each in needed if not apps.is_installed(each)]
    if not missing:
        return []
    return [
        checks.Error(
            f"nb_catalog.contrib.wagtail needs {', '.join(missing)}.",
            hint=f"Add {', '.join(map(repr, missing))} to INSTALLED_APPS.",
            id="nb_catalog.E103",
        )
    ]
