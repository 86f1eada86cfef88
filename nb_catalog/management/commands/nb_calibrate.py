"""``manage.py nb_calibrate``: thresholds of the fidelity check for the pictures of this shop."""

import json
import sys

from django.core.management.base import BaseCommand, CommandError
from django.db.models import Exists, OuterRef, Q
from django.utils.translation import gettext as _
from tqdm import tqdm

from nb_catalog.conf import setting_path, settings
from nb_catalog.core.iteration import blocks
from nb_catalog.core.states import ImageState
from nb_catalog.core.types import Treatment
from nb_catalog.imaging.fidelity import FIDELITY_CHECK, fidelity_in
from nb_catalog.imaging.fidelity.calibration import (
    NOTHING,
    Sample,
    cross_validate,
    fit,
    rates_of,
)
from nb_catalog.imaging.fidelity.report import NOT_FOUND, TWICE
from nb_catalog.models import ProductImage, ReviewEvent

BLOCK = 500
# With fewer, a threshold says more about these pictures than about the next ones.
LEAST_OF_EACH = 20
LEAST_PRODUCTS = 8
STATES = {
    ImageState.APPROVED: True,
    ImageState.RETIRED: True,
    ImageState.REJECTED: False,
}


class Command(BaseCommand):
    help = (
        "Fit the thresholds of FIDELITY to this shop's own painted pictures, approved and rejected, and "
        "print the setting. Nothing is changed."
    )

    def add_arguments(self, parser):
        parser.add_argument(
            "--note", default="", metavar="TEXT",
            help="Count only rejections whose note contains TEXT: pictures that were rejected for another "
            "reason than their product make the thresholds too strict.",
        )  # fmt: skip

    def handle(self, *, note, verbosity, **_options):
        samples = self.read_samples(note=note)
        good = sum(sample.keeps for sample in samples)
        products = len({sample.group for sample in samples})
        if min(good, len(samples) - good) < LEAST_OF_EACH or products < LEAST_PRODUCTS:
            raise CommandError(
                _(
                    "There are %(good)s approved and %(bad)s rejected painted pictures of %(products)s "
                    "products whose comparison is stored. At least %(least)s of each are needed, of "
                    "%(least_products)s products. Review more pictures first."
                )
                % {
                    "good": good,
                    "bad": len(samples) - good,
                    "products": products,
                    "least": LEAST_OF_EACH,
                    "least_products": LEAST_PRODUCTS,
                }
            )
        start = settings.FIDELITY["THRESHOLDS"]
        held_out = NOTHING
        parts = min(5, products)
        with tqdm(total=parts + 1, disable=None, file=sys.stderr) as bar:
            for rates in cross_validate(samples, start=start, parts=parts):
                held_out += rates
                bar.update()
            fitted = fit(samples, start=start)
            bar.update()
        if verbosity:
            self.report(_("Present thresholds"), rates_of(samples, start))
            self.report(_("Fitted thresholds, on products that they were not fitted to"), held_out)
            if held_out.worse < rates_of(samples, start).worse:
                self.stdout.write(
                    self.style.WARNING(
                        _("The present thresholds do better on these pictures: keep them.")
                    )
                )
        changed = {name: value for name, value in fitted.items() if value != start[name]}
        setting = {"REQUIRE": settings.FIDELITY["REQUIRE"], "THRESHOLDS": changed}
        self.stdout.write(f"# {setting_path('FIDELITY')}")
        self.stdout.write(f'"FIDELITY": {json.dumps(setting, indent=4)},')

    def read_samples(self, *, note):
        """Return a sample for each decided picture that was compared."""
        images = ProductImage.objects.filter(
            state__in=STATES, spec__treatment=Treatment.PAINTED, spec__base=""
        )
        if note:
            noted = ReviewEvent.objects.filter(
                image=OuterRef("pk"), move="reject", note__icontains=note
            )
            images = images.filter(~Q(state=ImageState.REJECTED) | Exists(noted))
        rows = images.order_by("pk").values_list("content_type_id", "object_id", "state", "checks")
        samples = []
        with tqdm(unit=_("picture"), disable=None, file=sys.stderr) as bar:
            for block in blocks(rows.iterator(chunk_size=BLOCK), size=BLOCK):
                for type_id, object_id, state, checks in block:
                    sample = sample_of(f"{type_id}.{object_id}", keeps=STATES[state], checks=checks)
                    samples += [] if sample is None else [sample]
                bar.update(len(block))
        return samples

    def report(self, title, rates):
        text = _(
            "%(title)s: %(kept)s of %(good)s approved kept, %(flagged)s of %(bad)s rejected flagged"
        )
        self.stdout.write(
            text
            % {
                "title": title,
                "kept": rates.kept,
                "good": rates.good,
                "flagged": rates.flagged,
                "bad": rates.damaged,
            }
        )


def sample_of(product, *, keeps, checks):
    """Return the sample of a picture of ``product``; None if its product was not compared.

    Words are not measured and have no threshold: a picture that was flagged for them alone counts by its
    measures.
    """
    if FIDELITY_CHECK not in checks:
        return None
    fidelity = fidelity_in(checks)
    # A product in another colour is compared by other thresholds.
    if fidelity.score is None or "asked" in fidelity.measures:
        return None
    is_beyond_measure = not {NOT_FOUND, TWICE}.isdisjoint(fidelity.reasons)
    return Sample(
        group=product, keeps=keeps, measures=None if is_beyond_measure else fidelity.measures
    )
