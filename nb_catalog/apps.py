"""The app config: imports the host's ``catalog_images`` modules and registers the checks."""

from django.apps import AppConfig
from django.utils.module_loading import autodiscover_modules
from django.utils.translation import gettext_lazy as _

from nb_catalog import checks


class NBCatalogConfig(AppConfig):
    name = "nb_catalog"
    verbose_name = _("Catalog images")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        autodiscover_modules("catalog_images")
        checks.register_all()
