"""What a request names, found or refused with the nearest match."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final, TypeVar

from django.db.models import Model, QuerySet, TextChoices, prefetch_related_objects

from nb_catalog.core.text import nearest
from nb_catalog.exceptions import PlanRefused, RequestRefused
from nb_catalog.generation.backgrounds import BackgroundPlanner
from nb_catalog.generation.painted_text import PaintedTextPlanner
from nb_catalog.models import Scene

C = TypeVar("C", bound=TextChoices)
# Characters that a list of names has in a title.
LONGEST_LIST: Final = 120


def model_of(products: Sequence[Model]) -> type[Model]:
    models = {type(product) for product in products}
    if not models:
        raise PlanRefused("No products were given.")
    if len(models) > 1:
        names = ", ".join(sorted(model.__name__ for model in models))
        raise PlanRefused(f"One plan is about one model; these are {names}. Make a plan for each.")
    return models.pop()


def scenes_named(given: Sequence[str | Scene]) -> Iterator[Scene]:
    rows = {scene.key: scene for scene in Scene.objects.all()}
    for each in given:
        if isinstance(each, Scene):
            yield each
        elif each in rows:
            yield rows[each]
        elif not rows:
            raise PlanRefused(
                "There are no scenes yet. Load the starter set: manage.py loaddata nb_catalog_scenes"
            )
        else:
            raise PlanRefused(f"There is no scene {each!r}.{nearest(each, rows)}")


def one_of(choices: type[C], given: str) -> C:
    try:
        return choices(given)
    except ValueError as error:
        what = choices.__name__.lower()
        raise PlanRefused(
            f"There is no {what} {given!r}.{nearest(given, choices.values)}"
        ) from error


def with_photos(
    products: QuerySet[Model] | Sequence[Model], *, lookups: tuple[str, ...]
) -> QuerySet[Model] | Sequence[Model]:
    if isinstance(products, QuerySet):
        return products.prefetch_related(*lookups) if lookups else products
    prefetch_related_objects(list(products), *lookups)
    return products


def plural(model: type[Model]) -> str:
    what = str(model._meta.verbose_name_plural)
    return what[:1].upper() + what[1:]


def objections_to_tier(planner: BackgroundPlanner | PaintedTextPlanner) -> Iterator[str]:
    yield from planner.objections()
    try:
        planner.price_usd()
    except RequestRefused as refusal:
        yield from refusal.objections
