"""Rules of the host: products that belong to series by what they are, such as their category."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import Final

from django.db.models import Model

from nb_catalog.core.iteration import blocks
from nb_catalog.core.text import message as _
from nb_catalog.core.text import nearest
from nb_catalog.exceptions import RegistryError
from nb_catalog.models import Series
from nb_catalog.models.generic import content_type_of
from nb_catalog.registry import CatalogSource, series_of
from nb_catalog.series.members import add

BLOCK: Final = 500


def has_rule(source: CatalogSource) -> bool:
    """Return whether the host's ``source`` adds products to series."""
    return type(source).series is not CatalogSource.series


def apply_rules(source: CatalogSource, *, only: Series | None = None) -> Mapping[str, int]:
    """Add the products of ``source`` to the series that its ``series()`` names, or to ``only`` one of them.

    Returns series' key -> how many were added. What a person has removed stays removed, and what the rule
    names no longer stays a member. Reads every product, a block at a time. Raises ``RegistryError`` for a
    key that is not that of a series of this model.
    """
    if not has_rule(source):
        return {}
    known = {
        each.key: each for each in Series.objects.filter(content_type=content_type_of(source.model))
    }
    added: dict[str, int] = defaultdict(int)
    for products in blocks(source.queryset().order_by("pk").iterator(chunk_size=BLOCK), size=BLOCK):
        named: dict[str, list[Model]] = defaultdict(list)
        for product in products:
            for key in series_of(product):
                if key not in known:
                    raise RegistryError(
                        _(
                            "%(source)s.series() names the series %(key)r, which does not exist for this "
                            "model."
                        )
                        % {"source": type(source).__name__, "key": key}
                        + nearest(key, known)
                    )
                if only is None or only.key == key:
                    named[key].append(product)
        for key, members in named.items():
            added[key] += add(known[key], members, by_rule=True).added
    return dict(added)
