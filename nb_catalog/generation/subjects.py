"""The objects that a plan's pictures are kept under: usually the products themselves."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final, TypeAlias

from django.db.models import Model, QuerySet
from django.utils.translation import gettext as _

from nb_catalog.core.iteration import blocks
from nb_catalog.exceptions import PlanRefused
from nb_catalog.models.generic import fetch_subjects
from nb_catalog.registry import CatalogSource, source_for, subject_of

Products: TypeAlias = "QuerySet[Model] | Sequence[Model]"

BLOCK: Final = 1000


def source_of(products: Products) -> CatalogSource:
    """Return the source that plans ``products``: that of their subjects.

    Raises ``PlanRefused`` without products and for objects of several models, ``NotRegistered``.
    """
    if isinstance(products, QuerySet):
        source = source_for(products.model)
        first = None if _are_subjects(products.model) else next(_stream(products, size=1), None)
        return source if first is None else source_for(subject_of(first))
    if not products:
        raise PlanRefused(_("No products were given."))
    fetch_subjects(products)
    sources = {source_for(subject_of(product)) for product in products}
    if len(sources) > 1:
        names = ", ".join(sorted(source.model.__name__ for source in sources))
        raise PlanRefused(
            _("A plan is about one model; these are %(names)s. Make a plan for each.")
            % {"names": names}
        )
    return sources.pop()


def each_subject(products: Products, *, source: CatalogSource) -> Iterator[Model]:
    """Yield the subject of each of ``products``, each once, in order, streamed from the database.

    Subjects other than the products themselves are read through the source's ``queryset()``, with
    their photos, as the worker will read them. Raises ``PlanRefused`` for one of another source.
    """
    rows = _stream(products, size=BLOCK)
    seen: set[str] = set()
    for block in blocks(rows, size=BLOCK):
        if all(_are_subjects(model) for model in {type(product) for product in block}):
            yield from block
            continue
        fetch_subjects(block)
        subjects: dict[str, Model] = {}
        for product in block:
            subject = subject_of(product)
            if source_for(subject) is not source:
                raise PlanRefused(
                    _(
                        "A plan is about one model; the pictures of %(product)s belong to %(subject)s, "
                        "which is of another. Make a plan for each."
                    )
                    % {"product": product, "subject": subject}
                )
            if str(subject.pk) not in seen:
                subjects[str(subject.pk)] = subject
        seen |= subjects.keys()
        others = [each.pk for each in subjects.values() if not any(each is p for p in block)]
        found = source.queryset().in_bulk(others) if others else {}
        for subject in subjects.values():
            yield found.get(subject.pk, subject)


def _are_subjects(model: type[Model]) -> bool:
    """Return whether rows of ``model`` are themselves what their pictures are kept under."""
    source = source_for(model)
    own_table = model._meta.concrete_model is source.model._meta.concrete_model
    return own_table and type(source).subject is CatalogSource.subject


def _stream(products: Products, *, size: int) -> Iterator[Model]:
    if isinstance(products, QuerySet):
        return products.iterator(chunk_size=size)
    return iter(products)
