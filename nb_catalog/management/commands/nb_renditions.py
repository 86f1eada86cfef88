"""``manage.py nb_renditions``: read the shop's own photos and make files of them that browsers show."""

import sys

from django.core.management.base import BaseCommand
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from tqdm import tqdm

from nb_catalog.core.iteration import blocks
from nb_catalog.publishing import photos
from nb_catalog.registry import registered

BLOCK = 100


class Command(BaseCommand):
    help = (
        "Read the photos of all registered products that have not been read yet, so that pages know "
        "their true sizes and browsers can show them. Nothing is sent anywhere."
    )

    def add_arguments(self, parser):
        parser.add_argument(
            "--again", action="store_true", help="Read all photos, also those already known."
        )

    def handle(self, *, again, verbosity, **options):
        shows = verbosity and sys.stderr.isatty()
        done = photos.make_photo_renditions()
        with tqdm(unit=_("photo"), disable=not shows, file=sys.stderr) as bar:
            for source in registered().values():
                rows = source.queryset().order_by("pk").iterator(chunk_size=BLOCK)
                for products in blocks(rows, size=BLOCK):
                    photos.request_photo_renditions(products, again=again, wake=False)
                    read = photos.make_photo_renditions()
                    bar.update(read)
                    done += read
        if verbosity:
            self.stdout.write(ngettext("%d photo read.", "%d photos read.", done) % done)
