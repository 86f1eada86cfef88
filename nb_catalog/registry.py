"""The models that have pictures, and how their title, facts, photos and copy are read."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from django.conf import settings as django_settings
from django.core.exceptions import FieldDoesNotExist
from django.core.files.storage import storages

from nb_catalog.core.locales import language_tag
from nb_catalog.core.text import nearest
from nb_catalog.core.types import POSES, Photo
from nb_catalog.exceptions import (
    AlreadyRegistered,
    NotRegistered,
    PictureMissing,
    RegistryError,
    StorageFailed,
)

if TYPE_CHECKING:
    from django.db.models import Field, Model, QuerySet

__all__ = ["CatalogSource", "is_registered", "register", "registered", "source_for", "unregister"]

_sources: dict[type[Model], CatalogSource] = {}

S = TypeVar("S", bound="type[CatalogSource]")


class CatalogSource:
    """How a catalog object is read. Subclass it, name the fields, and override what differs.

    ``photo_field`` is an image field, or a path to one through relations ("photos" or
    "photos__image"). ``photo_version_field`` names a field, such as a modification time, that
    changes when a photo is replaced under the same file name.
    """

    title_field: ClassVar[str] = ""
    photo_field: ClassVar[str] = ""
    photo_version_field: ClassVar[str] = ""
    fact_fields: ClassVar[tuple[str, ...]] = ()
    slots: ClassVar[tuple[str, ...]] = ("hero", "gallery", "social")

    def __init__(self, model: type[Model]) -> None:
        self.model = model

    @property
    def label(self) -> str:
        """``app_label.modelname``, as the API and the admin name the model."""
        return self.model._meta.label_lower

    def title(self, product: Model) -> str:
        return str(getattr(product, self.title_field)) if self.title_field else str(product)

    def facts(self, product: Model) -> Mapping[str, str]:
        """Return what a model may know about the product: verbose field name -> text."""
        facts = {}
        for name in self.fact_fields:
            if (value := getattr(product, name)) not in (None, ""):
                field = _field(self.model, name)
                facts[str(getattr(field, "verbose_name", name)).replace("_", " ")] = str(value)
        return facts

    def photos(self, product: Model) -> list[Photo]:
        """Return the host's own photos of the product, the best one first."""
        if not self.photo_field:
            return []
        version = (
            str(getattr(product, self.photo_version_field)) if self.photo_version_field else ""
        )
        return [
            Photo(name=file.name, version=version, alt=self.title(product), file=file)
            for file in _files(product, self.photo_field.split("__"))
            if file
        ]

    def pose(self, product: Model) -> str:
        """Return how the product rests in a rendered scene: "standing", "lying", or "" to decide by its
        photo.

        Clothing is laid flat and seen from above. A scene with a view of its own overrides this.
        """
        return ""

    def copy(self, product: Model, locale: str) -> Mapping[str, str]:
        """Return texts for pictures: role -> text in ``locale``.

        By default, returns the title in the site language and nothing for other locales; there is no
        language fallback.
        """
        own = language_tag(locale) == language_tag(django_settings.LANGUAGE_CODE)
        return {"headline": self.title(product)} if own else {}

    def values(self, product: Model, locale: str) -> Mapping[str, Any]:
        """Return the values of ``{placeholders}`` in copy decks: name -> a text, ``types.Money``, a number
        or a date, which are formatted for ``locale``. By default, the title, and the facts by their
        fields' names.
        """
        facts = {name: getattr(product, name) for name in self.fact_fields}
        return {"title": self.title(product), **facts}

    def alt(self, product: Model, locale: str) -> str:
        """Return the alternative text of a published picture in ``locale``."""
        return self.title(product)

    def queryset(self) -> QuerySet[Model]:
        """Return the catalog objects with their photos prefetched: a list takes no query per row."""
        objects = self.model._default_manager.all()
        lookups = self.photo_lookups()
        return objects.prefetch_related(*lookups) if lookups else objects

    def photo_lookups(self) -> tuple[str, ...]:
        """Return the relations on the path to the photos, for ``prefetch_related``."""
        path: list[str] = []
        model: type[Model] | None = self.model
        for name in self.photo_field.split("__"):
            field = _field(model, name)
            if field is None or not field.is_relation:
                break
            path.append(name)
            model = field.related_model
        return ("__".join(path),) if path else ()

    def problems(self) -> Iterator[tuple[str, str]]:
        """Yield (what is wrong, what to write instead) for each misspelt or missing field."""
        attributes = (
            ("title_field", self.title_field),
            *(("fact_fields", f) for f in self.fact_fields),
        )
        for attribute, name in attributes:
            if name and not hasattr(self.model, name) and _field(self.model, name) is None:
                yield self._misspelt(attribute, name, self.model)
        yield from self._photo_problems()
        if self.photo_version_field and _field(self.model, self.photo_version_field) is None:
            yield self._misspelt("photo_version_field", self.photo_version_field, self.model)

    def _photo_problems(self) -> Iterator[tuple[str, str]]:
        overridden = type(self).photos is not CatalogSource.photos
        if not self.photo_field:
            if not overridden:
                yield (
                    f"{type(self).__name__} does not say which photos {self.model._meta.label} has.",
                    "Set photo_field to an ImageField or a relation, or override photos().",
                )
            return
        model: type[Model] | None = self.model
        for name in self.photo_field.split("__"):
            field = _field(model, name)
            if model is None or field is None:
                yield self._misspelt("photo_field", name, model or self.model)
                return
            model = field.related_model if field.is_relation else None

    def _misspelt(self, attribute: str, name: str, model: type[Model]) -> tuple[str, str]:
        known = [field.name for field in model._meta.get_fields()]
        return (
            f"{type(self).__name__}.{attribute} names {name!r}, which {model._meta.label} does not have.",
            nearest(name, known).strip(),
        )


def register(*models: type[Model]) -> Callable[[S], S]:
    """Decorate a ``CatalogSource`` to register it for ``models``.

    Raises ``AlreadyRegistered`` if a model has a source, ``RegistryError`` if an argument is not a
    concrete model or the decorated class is not a ``CatalogSource``.
    """
    if not models or not all(hasattr(model, "_meta") for model in models):
        raise RegistryError("register() takes models: write @nb_catalog.register(Product).")

    def decorate(source: S) -> S:
        if not (isinstance(source, type) and issubclass(source, CatalogSource)):
            raise RegistryError(f"{source!r} must be a subclass of nb_catalog.CatalogSource.")
        for model in models:
            if model._meta.abstract:
                raise RegistryError(
                    f"{model.__name__} is abstract: register the models that inherit from it."
                )
            if model in _sources:
                raise AlreadyRegistered(
                    f"{model._meta.label} is already registered with "
                    f"{type(_sources[model]).__qualname__}. Keep one of the two, or call "
                    f"nb_catalog.registry.unregister({model.__name__}) first."
                )
            _sources[model] = source(model)
        return source

    return decorate


def unregister(model: type[Model]) -> None:
    """Remove the source of ``model``. Raises ``NotRegistered`` if it has none."""
    if _sources.pop(model, None) is None:
        raise NotRegistered(f"{model._meta.label} is not registered.")


def registered() -> Mapping[type[Model], CatalogSource]:
    """Return every registered model with its source, in the order of registration."""
    return dict(_sources)


def is_registered(model: type[Model]) -> bool:
    """Return whether ``model``, or a model that it derives from, is registered."""
    return any(base in _sources for base in model.__mro__)


def source_for(subject: Model | type[Model] | str) -> CatalogSource:
    """Return the source of a model, of one of its instances, or of a label such as "shop.product".

    Proxies and subclasses use the source of the model that they derive from. Raises
    ``NotRegistered``.
    """
    if isinstance(subject, str):
        by_label = {source.label: source for source in _sources.values()}
        if subject.lower() not in by_label:
            hint = nearest(subject.lower(), by_label)
            raise NotRegistered(f"No model {subject!r} is registered.{hint}")
        return by_label[subject.lower()]
    model = subject if isinstance(subject, type) else type(subject)
    for base in model.__mro__:
        if base in _sources:
            return _sources[base]
    raise NotRegistered(
        f"{model._meta.label} is not registered. Write in {model._meta.app_label}/catalog_images.py: "
        f"@nb_catalog.register({model.__name__}) above a class "
        f"{model.__name__}Source(nb_catalog.CatalogSource) with title_field and photo_field."
    )


def pose_of(product: Model) -> str:
    """Return the pose of the product as its source reports it. Raises ``RegistryError`` for a value
    that is not one of ``types.POSES``."""
    source = source_for(product)
    pose = source.pose(product)
    if pose not in POSES:
        accepted = ", ".join(repr(each) for each in POSES)
        raise RegistryError(
            f"{type(source).__name__}.pose() returned {pose!r}. It must be one of {accepted}."
        )
    return pose


def read_photo(photo: Photo) -> bytes:
    """Return the bytes of a photo from its storage. Raises ``PictureMissing``, ``StorageFailed``."""
    storage = photo.file.storage if photo.file is not None else storages[photo.storage]
    try:
        with storage.open(photo.name, "rb") as file:
            data: bytes = file.read()
    except FileNotFoundError as error:
        raise PictureMissing(
            f"The product's photo {photo.name!r} is not in its storage. Upload it again."
        ) from error
    except Exception as error:  # noqa: BLE001 - a storage may be any foreign code with any error
        raise StorageFailed(
            f"The storage failed to read the product's photo {photo.name!r} "
            f"({type(error).__name__}). Try again when the storage works."
        ) from error
    return data


def _field(model: type[Model] | None, name: str) -> Field[Any, Any] | Any | None:
    if model is None:
        return None
    try:
        return model._meta.get_field(name)
    except FieldDoesNotExist:
        return next((f for f in model._meta.related_objects if f.get_accessor_name() == name), None)


def _files(value: Any, path: list[str]) -> Iterator[Any]:
    """Yield the image files at the end of ``path`` from ``value``, through single and multiple relations."""
    if value is None:
        return
    if hasattr(value, "all"):
        for each in value.all():
            yield from _files(each, path)
    elif path:
        yield from _files(getattr(value, path[0], None), path[1:])
    elif hasattr(value, "storage"):
        yield value
    else:
        # A row without a named field: its first file field.
        names = [field.name for field in value._meta.get_fields() if hasattr(field, "upload_to")]
        if names:
            yield getattr(value, names[0])
