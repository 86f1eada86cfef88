"""Which models there are, what they can do and what they cost: a table, never an ``if model ==``."""

from __future__ import annotations

from nb_catalog.conf import settings
from nb_catalog.core.text import nearest
from nb_catalog.exceptions import RequestRefused
from nb_catalog.providers.model_specs.data import SHIPPED
from nb_catalog.providers.model_specs.overrides import with_overrides
from nb_catalog.providers.model_specs.sizes import PIXELS, RATIOS, SIZES, pixel_size
from nb_catalog.providers.model_specs.spec import ModelSpec

__all__ = [
    "PIXELS",
    "RATIOS",
    "SIZES",
    "ModelSpec",
    "all_specs",
    "is_version_of",
    "pixel_size",
    "replacement_hint",
    "spec_for",
]


def spec_for(model: str) -> ModelSpec:
    """The card of ``model``, with what ``NB_CATALOG["MODEL_SPECS"]`` changes about it.

    Raises ``RequestRefused`` when there is none and ``InvalidSettings`` when the host's changes
    are wrong.
    """
    given = settings.MODEL_SPECS
    if model in given:
        return with_overrides(SHIPPED.get(model), model=model, given=given[model])
    if model not in SHIPPED:
        raise RequestRefused(f"There is no model {model!r}.{nearest(model, {*SHIPPED, *given})}")
    return SHIPPED[model]


def replacement_hint(model: str) -> str:
    """A sentence that names what to use in place of ``model``, or what may have been meant; empty
    when nobody knows."""
    known = all_specs()
    if model not in known:
        return nearest(model, known).strip()
    instead = known[model].replaced_by
    return f"Use {instead} instead." if instead else ""


def is_version_of(version: str, model: str) -> bool:
    """Whether an answer's ``version`` is ``model`` itself or a release of it.

    Google extends the id ("…-001", "…@20261106", "models/…"); a provider that says nothing has
    not contradicted.
    """
    name = version.rpartition("models/")[2].partition("@")[0].partition("/")[0]
    return not name or name == model or name.startswith(f"{model}-")


def all_specs() -> dict[str, ModelSpec]:
    """Every card by model id: the shipped ones first, then the host's own."""
    return {model: spec_for(model) for model in {**SHIPPED, **settings.MODEL_SPECS}}
