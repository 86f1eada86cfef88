"""``manage.py nb_models``: which models there are, what they can do, what they cost."""

import asyncio
import json
import sys
from dataclasses import asdict
from datetime import date
from decimal import Decimal

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from django.utils.translation import gettext as _
from tqdm import tqdm

from nb_catalog.conf import settings
from nb_catalog.core.text import nearest
from nb_catalog.exceptions import InvalidSettings, RequestRefused
from nb_catalog.management.output import table
from nb_catalog.providers import model_specs, provider, tiers


class Command(BaseCommand):
    help = (
        "Print every model: abilities, price of one picture, where the price is from, and when the "
        "model ends."
    )

    def add_arguments(self, parser):
        parser.add_argument("--model", default="", help="One model in full.")
        parser.add_argument("--json", action="store_true", help="Everything, for programs.")
        parser.add_argument(
            "--ask",
            action="store_true",
            help="Ask the providers whether the models of the tiers are reachable. Costs nothing.",
        )

    def handle(self, *, model, ask, **options):
        known = model_specs.all_specs()
        if model and model not in known:
            raise CommandError(
                _("Unknown model %(model)r.") % {"model": model} + nearest(model, known)
            )
        chosen = {model: known[model]} if model else known
        if options["json"]:
            shown = [_as_json(model_spec) for model_spec in chosen.values()]
            self.stdout.write(json.dumps(shown, indent=2, default=_plain))
        elif model:
            self._tell(chosen[model])
        else:
            self._list(list(chosen.values()))
        if ask:
            self._ask(model)

    def _list(self, chosen):
        head = [_("model"), _("USD per picture"), _("batch"), _("ratios"), _("references"),
                _("thinking"), _("tiers"), _("end of life")]  # fmt: skip
        rows = [_row(model_spec) for model_spec in chosen]
        for line in table([head, *rows]):
            self.stdout.write(line)
        for line in _notes(chosen):
            self.stdout.write(line)

    def _tell(self, model_spec):
        for name, value in _as_json(model_spec).items():
            self.stdout.write(f"{name}: {json.dumps(value, default=_plain, ensure_ascii=False)}")

    def _ask(self, model):
        steps = [step for step in tiers.tiers() if model in ("", step.model)]
        wanted = sorted({(step.provider, step.model) for step in steps})
        answers = {}
        for alias, each in tqdm(wanted, unit=_("model"), file=sys.stderr, disable=None):
            answers[alias, each] = asyncio.run(_reached(alias, each))
        for (alias, each), said in answers.items():
            told = said or _("reachable")
            self.stdout.write(f"{alias} {each}: {told}")
        if any(answers.values()):
            raise CommandError(_("Some models used by the tiers are not reachable."))


async def _reached(alias, model):
    try:
        maker = provider(alias)
    except InvalidSettings as error:
        return str(error)
    try:
        return await maker.check_model(model)
    finally:
        await maker.close()


def _row(model_spec):
    mark = "*" if model_spec.id in settings.MODEL_SPECS else ""
    return [
        f"{model_spec.id}{mark}",
        _prices(model_spec),
        _("half") if model_spec.batch else "–",
        _ratios(model_spec),
        str(model_spec.max_references),
        " ".join(model_spec.thinking) or "–",
        " ".join(_tiers_of(model_spec)) or "–",
        _end(model_spec),
    ]


def _notes(chosen):
    """What stands below the table: where prices are from, what replaces what, how to read it."""
    priced = [model_spec for model_spec in chosen if not model_spec.free]
    for source in sorted(
        {(model_spec.price_source, str(model_spec.price_as_of or "")) for model_spec in priced}
    ):
        named = [
            model_spec.id
            for model_spec in priced
            if (model_spec.price_source, str(model_spec.price_as_of or "")) == source
        ]
        yield _("Prices of %(models)s: %(source)s, as of %(day)s.") % {
            "models": ", ".join(named),
            "source": source[0] or _("unknown source"),
            "day": source[1] or _("unknown date"),
        }
    for model_spec in chosen:
        if model_spec.replaced_by:
            yield _("%(model)s is replaced by %(other)s.") % {
                "model": model_spec.id,
                "other": model_spec.replaced_by,
            }
    yield _("Prices are the maximum expected cost of one picture with one reference.")
    if any(model_spec.id in settings.MODEL_SPECS for model_spec in chosen):
        yield _("* added or changed by NB_CATALOG['MODEL_SPECS']")


def _ratios(model_spec):
    if set(model_spec.ratios) == set(model_specs.RATIOS):
        return _("all %d") % len(model_specs.RATIOS)
    return str(len(model_spec.ratios))


def _prices(model_spec):
    if model_spec.free:
        return " ".join([*model_spec.sizes, _("free")])
    return "  ".join(f"{size} {_price(model_spec, size)}" for size in model_spec.sizes)


def _price(model_spec, size):
    try:
        return f"{model_spec.estimate(size=size, references=1):.4f}"
    except RequestRefused:
        return _("unknown")


def _tiers_of(model_spec):
    return [name for name, entry in settings.TIERS.items() if entry.get("MODEL") == model_spec.id]


def _end(model_spec):
    if model_spec.retired_on:
        past = model_spec.retired_on <= timezone.now().date()
        said = _("retired %s") if past else _("retires %s")
        return said % model_spec.retired_on.isoformat()
    return _("deprecated") if model_spec.deprecated_on else "–"


def _as_json(model_spec):
    prices = (
        {} if model_spec.free else {size: _price(model_spec, size) for size in model_spec.sizes}
    )
    return {
        **asdict(model_spec),
        "estimate_usd": prices,
        "tiers": _tiers_of(model_spec),
        "changed_by_settings": model_spec.id in settings.MODEL_SPECS,
    }


def _plain(value):
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, date):
        return value.isoformat()
    raise TypeError(type(value).__name__)
