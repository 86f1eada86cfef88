"""What the functions that plan have in common: the plan itself, and what their arguments name."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import uuid4

from django.contrib.contenttypes.models import ContentType
from django.db.models import Model, QuerySet, prefetch_related_objects
from django.utils.translation import gettext as _

from nb_catalog.exceptions import PlanRefused
from nb_catalog.generation.plan import Plan
from nb_catalog.generation.planners import Planner
from nb_catalog.generation.subjects import Products
from nb_catalog.models import ProductImage
from nb_catalog.registry import source_for


def products_of(images: Sequence[ProductImage]) -> list[Model]:
    """Return the products of ``images``, each once. One query and its sources' own lookups.

    Raises ``PlanRefused`` for no images, images of several models and when a product no longer exists.
    """
    if not images:
        raise PlanRefused(_("No pictures were given."))
    if len({image.content_type_id for image in images}) > 1:
        raise PlanRefused(_("A plan is about one model; these pictures are of several."))
    keys = dict.fromkeys(image.object_id for image in images)
    model = ContentType.objects.get_for_id(images[0].content_type_id).model_class()
    if model is None:
        raise PlanRefused(_("The model of these pictures is not installed any more."))
    rows = {str(row.pk): row for row in source_for(model).queryset().filter(pk__in=list(keys))}
    if len(rows) < len(keys):
        raise PlanRefused(_("The product of one of the pictures no longer exists."))
    return [rows[key] for key in keys]


def images_of(products: Sequence[Model], keys: Sequence[int]) -> list[ProductImage]:
    """Return those pictures of ``products`` that ``keys`` name."""
    rows = ProductImage.objects.about_any(
        type(products[0]), [str(product.pk) for product in products]
    )
    return list(rows.filter(pk__in=keys))


def make_plan(planner: Planner, products: Products, *, key: str, with_photos: bool = False) -> Plan:
    """Return the plan of what ``planner`` makes of ``products``. Raises ``PlanRefused``."""
    objections = tuple(planner.objections())
    if objections:
        raise PlanRefused(*objections)
    lookups = planner.source.field_lookups()
    if with_photos:
        lookups += planner.source.photo_lookups()
    # Objects of other models only show its pictures; what they show is read with its photos.
    model = planner.source.model._meta.concrete_model or planner.source.model
    if lookups and isinstance(products, QuerySet):
        products = (
            products.prefetch_related(*lookups) if issubclass(products.model, model) else products
        )
    elif lookups:
        prefetch_related_objects([each for each in products if isinstance(each, model)], *lookups)
    return Plan(
        key=key or uuid4().hex,
        title=planner.title(),
        source=planner.source,
        products=products,
        planner=planner,
        request=planner.as_request(),
    )
