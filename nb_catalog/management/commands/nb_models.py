"""``manage.py nb_models``: available models, their abilities and their prices."""

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
        "Print all models with their abilities, the price of one picture, the source of the price, and "
        "the end of life."
    )

    def add_arguments(self, parser):
        parser.add_argument("--model", default="", help="Print all details of one model.")
        parser.add_argument("--json", action="store_true", help="Print JSON.")
        parser.add_argument(
            "--ask",
            action="store_true",
            help="Check whether the models used by the tiers are reachable. Free of charge.",
        )

    def handle(self, *, model, ask, **options):
        known = model_specs.all_specs()
        if model and model not in known:
            raise CommandError(
                _("Unknown model %(model)r.") % {"model": model} + nearest(model, known)
            )
        chosen = {model: known[model]} if model else known
        if options["json"]:
            content = [_as_json(model_spec) for model_spec in chosen.values()]
            self.stdout.write(json.dumps(content, indent=2, default=_to_json))
        elif model:
            for name, value in _as_json(chosen[model]).items():
                text = json.dumps(value, default=_to_json, ensure_ascii=False)
                self.stdout.write(f"{name}: {text}")
        else:
            self.print_table(list(chosen.values()))
        if ask:
            self.check_reachable(model)

    def print_table(self, chosen):
        head = [_("model"), _("USD per picture"), _("batch"), _("ratios"), _("references"),
                _("thinking"), _("tiers"), _("end of life")]  # fmt: skip
        rows = [
            [
                f"{spec.id}{'*' if spec.id in settings.MODEL_SPECS else ''}",
                (
                    " ".join([*spec.sizes, _("free")])
                    if spec.free
                    else "  ".join(f"{size} {_price(spec, size)}" for size in spec.sizes)
                ),
                _("half") if spec.batch else "–",
                (
                    _("all %d") % len(model_specs.RATIOS)
                    if set(spec.ratios) == set(model_specs.RATIOS)
                    else str(len(spec.ratios))
                ),
                str(spec.max_references),
                " ".join(spec.thinking) or "–",
                " ".join(_tiers_of(spec)) or "–",
                _end_of_life(spec),
            ]
            for spec in chosen
        ]
        for line in (*table([head, *rows]), *footnotes(chosen)):
            self.stdout.write(line)

    def check_reachable(self, model):
        used = [tier for tier in tiers.tiers() if model in ("", tier.model)]
        pairs = sorted({(tier.provider, tier.model) for tier in used})
        problems = {}
        for alias, name in tqdm(pairs, unit=_("model"), file=sys.stderr, disable=None):
            problems[alias, name] = asyncio.run(reachability_problem(alias, name))
        for (alias, name), problem in problems.items():
            message = problem or _("reachable")
            self.stdout.write(f"{alias} {name}: {message}")
        if any(problems.values()):
            raise CommandError(_("Some models used by the tiers are not reachable."))


async def reachability_problem(alias, model):
    """Return why ``model`` cannot be reached through provider ``alias``; empty if it can."""
    try:
        image_provider = provider(alias)
    except InvalidSettings as error:
        return str(error)
    try:
        return await image_provider.check_model(model)
    finally:
        await image_provider.close()


def footnotes(chosen):
    """Yield the footnotes of the table: price sources, replacements and how to read it."""
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


def _price(model_spec, size):
    try:
        return f"{model_spec.estimate(size=size, references=1):.4f}"
    except RequestRefused:
        return _("unknown")


def _tiers_of(model_spec):
    return [name for name, entry in settings.TIERS.items() if entry.get("MODEL") == model_spec.id]


def _end_of_life(model_spec):
    if model_spec.retired_on:
        past = model_spec.retired_on <= timezone.now().date()
        message = _("retired %s") if past else _("retires %s")
        return message % model_spec.retired_on.isoformat()
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


def _to_json(value):
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, date):
        return value.isoformat()
    raise TypeError(type(value).__name__)
