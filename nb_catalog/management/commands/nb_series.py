"""``manage.py nb_series``: add products to series by the rules of their sources."""

from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _

from nb_catalog import series
from nb_catalog.exceptions import NBCatalogError
from nb_catalog.registry import registered


class Command(BaseCommand):
    help = (
        "Add the products that CatalogSource.series() names to their series. Members that a person has "
        "removed stay removed."
    )

    def handle(self, **options):
        for source in registered().values():
            try:
                added = series.apply_rules(source)
            except NBCatalogError as error:
                raise CommandError(str(error)) from error
            for key, number in added.items():
                self.stdout.write(_("%(key)s: %(number)s added") % {"key": key, "number": number})
