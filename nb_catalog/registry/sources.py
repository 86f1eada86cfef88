"""The registered models, and the base class of their sources."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any, ClassVar, Final, TypeVar

from django.conf import settings as django_settings

from nb_catalog.core import attributes, source_fields
from nb_catalog.core.attributes import as_text, host_code
from nb_catalog.core.gallery_files import is_delivered
from nb_catalog.core.locales import language_tag
from nb_catalog.core.search import with_words
from nb_catalog.core.slots import Slot, SlotsLike, parse_slots
from nb_catalog.core.soft_goods import lies_flat
from nb_catalog.core.text import message as _
from nb_catalog.core.text import nearest
from nb_catalog.core.types import Photo, Variant
from nb_catalog.exceptions import (
    AlreadyRegistered,
    NotRegistered,
    RegistryError,
    RequestRefused,
)
from nb_catalog.registry.galleries import GalleryLike, require_galleries

if TYPE_CHECKING:
    from django.db.models import Model, QuerySet

_sources: dict[type[Model], CatalogSource] = {}

S = TypeVar("S", bound="type[CatalogSource]")

# Variants of one product.
MAX_VARIANTS: Final = 50
# Where Django keeps what prefetch_related() has fetched.
_PREFETCHED = {"_prefetched_objects_cache"}


class CatalogSource:
    """How a catalog object is read. Subclass it, name the fields, and override what differs.

    ``photo_field`` is an image field, or a path to one through relations ("photos" or
    "photos__image"). ``photo_version_field`` names a field, such as a modification time, that
    changes when a photo is replaced under the same file name. ``search_fields`` are those by which the
    admin finds products, written as those of a ``ModelAdmin``: "name", "=sku", "^code", "brand__name";
    by default ``title_field``. ``slots`` are names, ``Slot`` objects,
    or a dict of name -> ratio such as ``{"hero": "4:5"}``. ``photo_kind`` is what all photos of the
    model are, one of ``types.PhotoKind``: a bookshop writes "full_frame"; "" means packshots, unless a
    person decides otherwise. ``cutout`` is the backend that cuts them out, written as the setting
    ``CUTOUT``; None means that setting. ``treatments`` are those that its pictures may have.
    ``height_field`` names a field with the product's real height in centimetres, ``sku_field`` one with its
    article number, for the names of exported files. ``galleries`` are where published pictures also go, in
    models of the host.
    """

    title_field: ClassVar[str] = ""
    photo_field: ClassVar[str] = ""
    photo_version_field: ClassVar[str] = ""
    height_field: ClassVar[str] = ""
    sku_field: ClassVar[str] = ""
    fact_fields: ClassVar[tuple[str, ...]] = ()
    search_fields: ClassVar[tuple[str, ...]] = ()
    slots: ClassVar[SlotsLike] = ("hero", "gallery", "social")
    photo_kind: ClassVar[str] = ""
    cutout: ClassVar[Mapping[str, Any] | None] = None
    treatments: ClassVar[tuple[str, ...]] = ("locked", "relit", "painted")
    galleries: ClassVar[Sequence[GalleryLike]] = ()

    def __init__(self, model: type[Model]) -> None:
        self.model = model

    @property
    def label(self) -> str:
        """``app_label.modelname``, as the API and the admin name the model."""
        return self.model._meta.label_lower

    @property
    def slot_table(self) -> Mapping[str, Slot]:
        """The slots by name, in order. Raises ``RegistryError`` if ``slots`` is not valid."""
        return parse_slots(self.slots, owner=type(self).__name__)

    def slot(self, name: str) -> Slot:
        """Return the slot of this name. Raises ``RequestRefused`` if there is none."""
        slots = self.slot_table
        if name not in slots:
            raise RequestRefused(
                _("The product has no slot %(slot)r.") % {"slot": name} + nearest(name, slots)
            )
        return slots[name]

    def subject(self, product: Model) -> Model:
        """Return the object under which the pictures of ``product`` are planned, kept and read.

        By default, its own row of the registered model: pictures of a child by multi-table inheritance
        belong to its parent's row. Override it where a variant shows the pictures of its product, or
        a translated page those of its original; the result is a row of a registered model.
        """
        return _row_of(product, self.model)

    def subject_lookups(self) -> tuple[str, ...]:
        """Return the relations that ``subject()`` follows, for ``prefetch_related``.

        By default, if ``subject()`` is overridden, every foreign key to a registered model.
        """
        if type(self).subject is CatalogSource.subject:
            return ()
        links = (
            (field.name, field.remote_field, field.related_model)
            for field in self.model._meta.concrete_fields
        )
        return tuple(
            name
            for name, relation, model in links
            if relation is not None and model is not None
            if not relation.parent_link and is_registered(model)
        )

    def title(self, product: Model) -> str:
        with self._host_code("title_field", self.title_field or "__str__"):
            return as_text(self._read(product, "title_field") if self.title_field else str(product))

    def sku(self, product: Model) -> str:
        """Return the article number of the product; by default ``sku_field``, or the key without one."""
        with self._host_code("sku_field", self.sku_field):
            return as_text(self._read(product, "sku_field")) or str(product.pk)

    def facts(self, product: Model) -> Mapping[str, str]:
        """Return what a model may know about the product: verbose field name -> text."""
        facts = {}
        for name in self.fact_fields:
            value = attributes.read(product, name, where=self._where("fact_fields"))
            with self._host_code("fact_fields", name):
                text = as_text(value)
            if text:
                facts[source_fields.label_of(self.model, name)] = text
        return facts

    def photos(self, product: Model) -> list[Photo]:
        """Return the host's own photos of the product, the best one first.

        By default, without files that ``galleries`` have delivered: a picture is not made from itself.
        """
        if not self.photo_field:
            return []
        version = as_text(self._read(product, "photo_version_field"))
        with self._host_code("photo_field", self.photo_field):
            files = list(source_fields.files_at(product, self.photo_field.split("__")))
        return [
            Photo(name=file.name, version=version, alt=self.title(product), file=file)
            for file in files
            if file and not is_delivered(file.name)
        ]

    def pose(self, product: Model) -> str:
        """Return how the product rests in a rendered scene: "standing", "lying", or "" to decide by its
        photo.

        By default, clothing and textiles are laid flat and seen from above: the title or the category
        among the facts names them. Override it where the shop knows better. A scene with a view of
        its own overrides this.
        """
        return "lying" if lies_flat(self.title(product), self.facts(product)) else ""

    def value(self, product: Model) -> float:
        """Return what the product is worth beside others, such as its margin times its visits: finals within
        a budget are made of the most valuable products. By default, all are equal."""
        return 1.0

    def height_cm(self, product: Model) -> float | None:
        """Return the real height of the product as its photo shows it, in centimetres; None if it is
        not known.

        By default, ``height_field``, in which 0 means that it is not known. Pictures of a set and
        bundles keep products in proportion by it.
        """
        value = self._read(product, "height_field")
        if value in (None, ""):
            return None
        with self._host_code("height_field", self.height_field):
            return float(value) or None

    def bundle(self, product: Model) -> Sequence[Model | Photo]:
        """Return what is shown together on pictures of ``product``, if it is a bundle: 2 to 6 objects of
        registered models, or photos of its own that show one product each. By default, nothing.

        The first one is always seen whole. If plans of many bundles must not make queries for each, fetch
        what it needs in ``queryset()``.
        """
        return ()

    def variants(self, product: Model) -> Sequence[Variant]:
        """Return what else ``product`` comes in, for series that show it too: other colours, other sides.

        By default, the further photos of the product, as other sides with the keys ``photo-2``, ``photo-3``
        and so on. If plans of many products must not make queries for each, fetch what it needs in
        ``queryset()``.
        """
        return [
            Variant(
                key=f"photo-{number}", name=_("photo %(number)s") % {"number": number}, photo=photo
            )
            for number, photo in enumerate(self.photos(product)[1:MAX_VARIANTS], start=2)
        ]

    def kind_of_photo(self, product: Model, photo: Photo) -> str:
        """Return what ``photo`` is, one of ``types.PhotoKind``, or "" if the shop does not know.

        By default, ``photo_kind``. A person's decision in the admin overrides it.
        """
        return self.photo_kind

    def series(self, product: Model) -> Iterable[str]:
        """Return the keys of the series that ``product`` belongs to by a rule, such as its category.

        Rules add: a member that a person removed stays removed.
        """
        return ()

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
        where = self._where("fact_fields")
        facts = {name: attributes.read(product, name, where=where) for name in self.fact_fields}
        many = {name: as_text(value) for name, value in facts.items() if hasattr(value, "all")}
        return {"title": self.title(product), **facts, **many}

    def alt(self, product: Model, locale: str) -> str:
        """Return the alternative text of a published picture in ``locale``."""
        return self.title(product)

    def queryset(self) -> QuerySet[Model]:
        """Return the catalog objects with their photos and the relations of their fields prefetched: a list
        takes no query per row."""
        objects = self.model._default_manager.all()
        lookups = dict.fromkeys((*self.photo_lookups(), *self.field_lookups()))
        return objects.prefetch_related(*lookups) if lookups else objects

    def search(self, term: str) -> QuerySet[Model]:
        """Return the catalog objects that have every word of ``term`` in one of ``search_fields``.

        None without such a field. Override it for full-text search; an object may occur repeatedly.
        """
        names = self.search_fields
        title = source_fields.field_of(self.model, self.title_field)
        if not names and title is not None and title.concrete and not title.is_relation:
            names = (self.title_field,)
        return with_words(self.queryset().prefetch_related(None), fields=names, term=term)

    def visible(self) -> QuerySet[Model]:
        """Return the catalog objects that the public may see; by default ``queryset()``.

        The API shows the public no placements of other objects. If this method is overridden, neither
        do template tags.
        """
        return self.queryset()

    def photo_lookups(self) -> tuple[str, ...]:
        """Return the relations on the path to the photos, for ``prefetch_related``."""
        return source_fields.relations_on(self.model, self.photo_field)

    def field_lookups(self) -> tuple[str, ...]:
        """Return the relations that ``title_field``, ``fact_fields``, ``photo_version_field``,
        ``height_field`` and ``sku_field`` name, for ``prefetch_related``."""
        names = (
            self.title_field, *self.fact_fields, self.photo_version_field, self.height_field,
            self.sku_field,
        )  # fmt: skip
        fields = {name: source_fields.field_of(self.model, name) for name in names if name}
        return tuple(
            name for name, field in fields.items() if field is not None and field.is_relation
        )

    def problems(self) -> Iterator[tuple[str, str]]:
        """Yield (what is wrong, what to write instead) for each misspelt, missing or unusable field."""
        overridden = type(self).photos is not CatalogSource.photos
        return source_fields.problems(self, reads_photos=overridden)

    def _where(self, attribute: str) -> str:
        return f"{type(self).__name__}.{attribute}"

    def _host_code(self, attribute: str, name: str) -> AbstractContextManager[None]:
        return host_code(f"{self._where(attribute)} names {name!r}, which")

    def _read(self, product: Model, attribute: str) -> Any:
        """Return what the field that ``attribute`` names has for ``product``; None if it names none."""
        name = getattr(self, attribute)
        return attributes.read(product, name, where=self._where(attribute)) if name else None


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
            made = source(model)
            made.slot_table  # noqa: B018 - raises for slots that are not valid
            require_galleries(made.galleries, owner=source.__name__)
            _sources[model] = made
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
    """Return whether ``model``, a model that it derives from, or a proxy of it is registered."""
    return _find(model) is not None


def source_for(subject: Model | type[Model] | str) -> CatalogSource:
    """Return the source of a model, of one of its instances, or of a label such as "shop.product".

    Proxies and subclasses use the source of the model that they derive from; a model of which only a
    proxy is registered uses that one's. Raises ``NotRegistered``.
    """
    if isinstance(subject, str):
        label, sources = subject.lower(), list(_sources.values())
        for source in sources:
            if source.label == label:
                return source
        for source in sources:
            related = [_concrete(source.model), *_subclasses(source.model)]
            if any(each._meta.label_lower == label for each in related):
                return source
        hint = nearest(label, {each.label for each in sources})
        raise NotRegistered(_("No model %(model)r is registered.") % {"model": subject} + hint)
    model = subject if isinstance(subject, type) else type(subject)
    if (found := _find(model)) is not None:
        return found
    raise NotRegistered(
        f"{model._meta.label} is not registered. Write in {model._meta.app_label}/catalog_images.py: "
        f"@nb_catalog.register({model.__name__}) above a class "
        f"{model.__name__}Source(nb_catalog.CatalogSource) with title_field and photo_field."
    )


def _find(model: type[Model]) -> CatalogSource | None:
    for base in model.__mro__:
        if base in _sources:
            return _sources[base]
    # Rows are stored under the content type of the concrete model, so it must find its proxy's source.
    for known, source in _sources.items():
        if known._meta.proxy and issubclass(model, _concrete(known)):
            return source
    return None


def _concrete(model: type[Model]) -> type[Model]:
    """Return the model whose table ``model`` uses: itself, unless it is a proxy."""
    return model._meta.concrete_model or model


def _subclasses(model: type[Model]) -> Iterator[type[Model]]:
    for each in model.__subclasses__():
        yield each
        yield from _subclasses(each)


def subject_of(product: Model) -> Model:
    """Return the object under which the pictures of ``product`` are planned, kept and read.

    It is an instance of a registered model. Raises ``NotRegistered``, and ``RegistryError`` if
    ``subject()`` of its source returned something else.
    """
    source = source_for(product)
    subject = source.subject(product)
    if not hasattr(subject, "_meta") or not is_registered(type(subject)):
        raise RegistryError(
            f"{type(source).__name__}.subject() returned {subject!r} for {product!r}. It must return a "
            f"row of a registered model; for a product with pictures of its own, the product."
        )
    return subject if subject is product else _row_of(subject, source_for(subject).model)


def _row_of(product: Model, model: type[Model]) -> Model:
    """Return ``product`` as an instance of ``model``, which it derives from. No query is made.

    A row of the same table is returned as it is; of a child by multi-table inheritance, the parent's
    row with what has been loaded of it.
    """
    if _concrete(type(product)) is _concrete(model):
        return product
    primary = model._meta.pk.attname
    loaded = {
        field.attname: product.__dict__[field.attname]
        for field in model._meta.concrete_fields
        if field.attname in product.__dict__
    }
    # The child's link to its parent has the key even if the parent's own columns are deferred.
    loaded[primary] = getattr(product, primary)
    names = [f.attname for f in model._meta.concrete_fields if f.attname in loaded]
    row = model.from_db(product._state.db, names, [loaded[name] for name in names])
    own = {field.name for field in model._meta.get_fields()}
    cached = product._state.fields_cache
    row._state.fields_cache.update({name: cached[name] for name in own & cached.keys()})
    row.__dict__ |= {name: product.__dict__[name] for name in _PREFETCHED & product.__dict__.keys()}
    return row
