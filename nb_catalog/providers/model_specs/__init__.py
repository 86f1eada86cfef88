"""The known models, their abilities and prices: a table, never an ``if model ==``."""

from __future__ import annotations

from nb_catalog.conf import settings
from nb_catalog.core.text import message as _
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
    """Return the spec of ``model``, with the changes from ``NB_CATALOG["MODEL_SPECS"]``.

    Raises ``RequestRefused`` if there is none and ``InvalidSettings`` if the host's changes are
    invalid.
    """
    overrides = settings.MODEL_SPECS
    if model in overrides:
        return with_overrides(SHIPPED.get(model), model=model, overrides=overrides[model])
    if model not in SHIPPED:
        known = {*SHIPPED, *overrides}
        raise RequestRefused(
            _("There is no model %(name)r.") % {"name": model} + nearest(model, known)
        )
    return SHIPPED[model]


def replacement_hint(model: str) -> str:
    """Return a sentence that names the successor of ``model``, or the model that may have been
    meant; empty if neither is known."""
    known = all_specs()
    if model not in known:
        return nearest(model, known).strip()
    successor = known[model].replaced_by
    return _("Use %(model)s instead.") % {"model": successor} if successor else ""


def is_version_of(version: str, model: str) -> bool:
    """Whether a response's ``version`` is ``model`` itself or a release of it.

    Google extends the id ("…-001", "…@20261106", "models/…"). An empty version counts as one.
    """
    name = version.rpartition("models/")[2].partition("@")[0].partition("/")[0]
    return not name or name == model or name.startswith(f"{model}-")


def all_specs() -> dict[str, ModelSpec]:
    """Return every spec by model id: the shipped ones first, then the host's own."""
    return {model: spec_for(model) for model in {**SHIPPED, **settings.MODEL_SPECS}}
