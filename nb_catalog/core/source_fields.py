"""The fields that a catalog source names: what they are, where they lead, and what is wrong with them."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from django.core.exceptions import FieldDoesNotExist

from nb_catalog.core import attributes
from nb_catalog.core.search import field_path
from nb_catalog.core.text import nearest
from nb_catalog.core.types import PhotoKind, Treatment
from nb_catalog.exceptions import RegistryError

if TYPE_CHECKING:
    from django.db.models import Field, Model


def field_of(model: type[Model] | None, name: str) -> Field[Any, Any] | Any | None:
    """Return the field or the related object ``name`` of ``model``; None if it has none."""
    if model is None:
        return None
    try:
        return model._meta.get_field(name)
    except FieldDoesNotExist:
        return next((f for f in model._meta.related_objects if f.get_accessor_name() == name), None)


def label_of(model: type[Model], name: str) -> str:
    """Return what a fact is called: its field's verbose name, or its method's ``short_description`` or
    name."""
    plain = name.removeprefix("get_")
    field = field_of(model, name)
    if field is None and plain.endswith("_display"):
        field = field_of(model, plain.removesuffix("_display"))
    known = getattr(field, "verbose_name", None)
    known = known or getattr(getattr(model, name, None), "short_description", None)
    return str(known or plain).replace("_", " ")


def relations_on(model: type[Model], path: str) -> tuple[str, ...]:
    """Return the relations at the beginning of ``path`` ("photos__image"), as one lookup."""
    names: list[str] = []
    end: type[Model] | None = model
    for name in path.split("__"):
        field = field_of(end, name)
        if field is None or not field.is_relation:
            break
        names.append(name)
        end = field.related_model
    return ("__".join(names),) if names else ()


def files_at(value: Any, path: list[str]) -> Iterator[Any]:
    """Yield the image files at the end of ``path`` from ``value``, through single and multiple relations.

    Raises ``RegistryError`` if it leads elsewhere.
    """
    if value is None:
        return
    if hasattr(value, "all"):
        for each in value.all():
            yield from files_at(each, path)
    elif path:
        try:
            is_mapping = isinstance(value, Mapping)
            next_value = value.get(path[0]) if is_mapping else attributes.get(value, path[0])
        except AttributeError:
            if hasattr(type(value), path[0]):
                raise
            # A relation may lead to several models: not all of their rows have the attribute.
            return
        yield from files_at(next_value, path[1:])
    elif hasattr(value, "storage"):
        yield value
    elif not hasattr(value, "_meta"):
        raise RegistryError(
            f"The path to the photo leads to {type(value).__name__}, and not to an image field or a row "
            f"with one. Correct photo_field, or override photos()."
        )
    else:
        # A row without a named field: its first file field.
        names = [field.name for field in value._meta.get_fields() if hasattr(field, "upload_to")]
        if names:
            yield getattr(value, names[0])


def problems(source: Any, *, reads_photos: bool) -> Iterator[tuple[str, str]]:
    """Yield (what is wrong, what to write instead) for each field that ``source`` cannot read.

    ``reads_photos`` is whether it has code of its own for them.
    """
    named = (
        ("title_field", source.title_field),
        *(("fact_fields", each) for each in source.fact_fields),
        ("photo_version_field", source.photo_version_field),
        ("height_field", source.height_field),
        ("sku_field", source.sku_field),
    )
    for attribute, name in named:
        if name:
            yield from _field_problems(source, attribute, name)
    for name in source.search_fields:
        first = field_path(name).split("__")[0]
        if first != "pk" and field_of(source.model, first) is None:
            yield _misspelt(source, "search_fields", first, source.model)
    if source.photo_kind and source.photo_kind not in PhotoKind.values:
        kinds = ", ".join(map(repr, PhotoKind.values))
        yield (
            f"{type(source).__name__}.photo_kind is {source.photo_kind!r}, which is not a kind of photo.",
            f"Write one of {kinds}." + nearest(str(source.photo_kind), PhotoKind.values),
        )
    for name in source.treatments:
        if name not in Treatment.values:
            treatments = ", ".join(map(repr, Treatment.values))
            yield (
                f"{type(source).__name__}.treatments has {name!r}, which is not a treatment.",
                f"Write a tuple of {treatments}." + nearest(str(name), Treatment.values),
            )
    if source.photo_field:
        yield from _photo_problems(source)
    elif not reads_photos:
        yield (
            f"{type(source).__name__} does not say which photos {source.model._meta.label} has.",
            "Set photo_field to an ImageField or a relation, or override photos().",
        )


def _field_problems(source: Any, attribute: str, name: str) -> Iterator[tuple[str, str]]:
    model = source.model
    if field_of(model, name) is not None:
        return
    if not _has(model, name):
        yield _misspelt(source, attribute, name, model)
    elif reason := attributes.why_unusable(model, name):
        yield (
            f"{type(source).__name__}.{attribute} names {name!r} of {model._meta.label}, {reason}.",
            "Name a field, a property or a method without arguments, or override the method of the "
            "source that reads it.",
        )


def _photo_problems(source: Any) -> Iterator[tuple[str, str]]:
    model: type[Model] | None = source.model
    for name in source.photo_field.split("__"):
        field = field_of(model, name)
        if field is None:
            if model is source.model:
                yield from _field_problems(source, "photo_field", name)
            # What a method or property returns is only known once it is called.
            elif model is None or not _has(model, name):
                yield _misspelt(source, "photo_field", name, model or source.model)
            return
        model = field.related_model if field.is_relation else None


def _has(model: type[Model], name: str) -> bool:
    # Not hasattr(): what the host writes for the class may raise anything.
    return inspect.getattr_static(model, name, field_of) is not field_of


def _misspelt(source: Any, attribute: str, name: str, model: type[Model]) -> tuple[str, str]:
    known = [field.name for field in model._meta.get_fields()]
    return (
        f"{type(source).__name__}.{attribute} names {name!r}, which {model._meta.label} does not have.",
        nearest(name, known).strip(),
    )
