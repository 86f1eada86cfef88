"""``nb_catalog.contrib.oscar`` in ``INSTALLED_APPS``: the pages of this app inside Oscar's dashboard."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from django.apps import AppConfig, apps
from django.core import checks
from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext_lazy as _


class OscarConfig(AppConfig):
    name = "nb_catalog.contrib.oscar"
    label = "nb_catalog_oscar"
    verbose_name = _("Catalog images in Oscar")

    def ready(self) -> None:
        checks.register(check_oscar, "nb_catalog")
        if not apps.is_installed("oscar.apps.dashboard.catalogue"):
            # Or a fork of it, which has the column and the action if it wants them.
            return
        from oscar.core.exceptions import ClassNotFoundError
        from oscar.core.loading import get_class

        from nb_catalog.contrib.oscar.bulk_actions import with_pictures
        from nb_catalog.contrib.oscar.tables import PicturesColumn

        table = get_class("dashboard.catalogue.tables", "ProductTable")
        table.base_columns.setdefault("catalog_pictures", PicturesColumn())
        # Older versions have no actions on selected products.
        with suppress(ClassNotFoundError):
            view = get_class("dashboard.catalogue.mixins", "ProductBulkActionMixin")
            view.get_actions = with_pictures(view.get_actions)


def check_oscar(app_configs: Any = None, **options: Any) -> list[checks.CheckMessage]:
    """Check that what the pages need is installed, and that they have addresses."""
    needed = ("nb_catalog", "django.contrib.admin", "oscar")
    labels = {each.name for each in apps.get_app_configs()}
    missing = [each for each in needed if each not in labels]
    if missing:
        return [
            checks.Error(
                f"nb_catalog.contrib.oscar needs {', '.join(missing)}.",
                hint=f"Add {', '.join(map(repr, missing))} to INSTALLED_APPS.",
                id="nb_catalog.E104",
            )
        ]
    try:
        reverse("nb_catalog_oscar:index")
    except NoReverseMatch:
        return [
            checks.Error(
                "The pages of nb_catalog.contrib.oscar have no address.",
                hint='Add path("dashboard/", include("nb_catalog.contrib.oscar.urls")) to the URLs, before '
                "those of Oscar.",
                id="nb_catalog.E105",
            )
        ]
    return []
