"""One delivery: the picture is written into the host's row, or what was there before is written back.

Nothing of the host's is touched before its row is as it was left: everything that reads or stores files comes
first, then one transaction with the host's row and ours, and then the file that was replaced is deleted. A
process that dies in between leaves a file, whose name is stored, and the next attempt deletes it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any, Final, cast

from django.conf import settings as django_settings
from django.db import transaction
from django.db.models import FileField, Model, QuerySet
from django.utils.translation import gettext as _

from nb_catalog import storage
from nb_catalog.core.attributes import host_code
from nb_catalog.core.types import Rect, Size
from nb_catalog.exceptions import InvalidTransition
from nb_catalog.imaging.box import Box
from nb_catalog.imaging.provenance import read_mark
from nb_catalog.models import GalleryDelivery, ProductImage, Rendition
from nb_catalog.models.db.clock import database_now
from nb_catalog.models.galleries import GalleryState
from nb_catalog.publishing import renditions
from nb_catalog.publishing.galleries import host_files, ordering, snapshots
from nb_catalog.publishing.galleries.base import Gallery, GalleryPicture
from nb_catalog.registry import CatalogSource
from nb_catalog.storefront import fallbacks
from nb_catalog.storefront.alt_text import overlay_text, resolve_alt

FOLDER: Final = "replaced"


class FenceLost(Exception):
    """Another process has the delivery, or something else is wanted by now: nothing was written."""


class DeliveryEnded(Exception):
    """The delivery ends in ``state`` without having written anything; the message says why, and what a person
    can do."""

    def __init__(self, state: GalleryState, message: str) -> None:
        super().__init__(message)
        self.state = state


@dataclass(slots=True, kw_only=True)
class Target:
    """Where one delivery goes, and the lease that fences it."""

    delivery: GalleryDelivery
    lease: datetime
    source: CatalogSource
    gallery: Gallery
    product: Model

    @property
    def model(self) -> type[Model]:
        return self.gallery.row_model(type(self.product))

    @property
    def field(self) -> FileField:
        name = self.gallery.file_field(self.delivery.locale)
        return cast(FileField, self.model._meta.get_field(name))

    @property
    def written(self) -> dict[str, Any]:
        """What was written, {} if nothing was."""
        return cast("dict[str, Any]", self.delivery.written)

    @property
    def written_file(self) -> str:
        return str(self.written.get("values", {}).get(self.field.attname) or "")

    def rows(self) -> QuerySet[Model]:
        if self.gallery.creates_rows and not self.written:
            return self.model._base_manager.none()
        return self.gallery.rows(self.product, self.written.get("row", ""))

    def record(self, **columns: Any) -> None:
        """Write ``columns`` of the delivery. Raises ``FenceLost``."""
        held = GalleryDelivery.objects.filter(pk=self.delivery.pk, due_at=self.lease)
        if not held.update(**columns):
            raise FenceLost


def carry_out(target: Target) -> None:
    """Bring the host's row to what ``target`` wants.

    Raises ``FenceLost``, ``DeliveryEnded``, ``InvalidTransition`` if the host changes its row at this moment,
    ``StorageFailed``, ``PictureError``, and ``RegistryError`` for errors of the host's code.
    """
    delivery = target.delivery
    if delivery.stored:
        # An attempt ended between storing this file and writing the host's row.
        values = snapshots.read(target.rows(), [target.field.attname]) or {}
        if values.get(target.field.attname) != delivery.stored:
            host_files.discard(target.field, delivery.stored)
        target.record(stored="")
        delivery.stored = ""
    if target.written:
        _require_unchanged(target)
    if delivery.image is None:
        _take_back(target)
    else:
        _put(target, delivery.image)


def _require_unchanged(target: Target) -> None:
    """Raise ``DeliveryEnded`` if the host's row is not as it was left."""
    written, wants_picture = target.written, target.delivery.image is not None
    values = snapshots.read(target.rows(), written["values"])
    if values is None:
        if target.delivery.overwrites or not wants_picture:
            host_files.discard(target.field, target.written_file)
            target.delivery.written = {}
            return
        raise DeliveryEnded(
            GalleryState.CHANGED,
            _(
                "The shop has deleted the picture that was delivered. Go ahead anyway, or leave it so."
            ),
        )
    if target.delivery.overwrites:
        return
    column = target.field.attname
    changed = snapshots.differing(values, written["values"])
    if column not in changed:
        data = host_files.read(target.field, str(values.get(column) or ""))
        if data is None or sha256(data).hexdigest() != written["sha256"]:
            changed.append(column)
    elif not wants_picture:
        host_files.discard(target.field, target.written_file)
        raise DeliveryEnded(
            GalleryState.KEPT, _("The shop has put another picture there, which stays.")
        )
    if changed:
        fields = snapshots.fields_of(target.model)
        raise DeliveryEnded(
            GalleryState.CHANGED,
            _(
                "The shop has changed %(fields)s since the last delivery. Go ahead anyway, or leave it as "
                "it is."
            )
            % {"fields": ", ".join(str(fields[name].verbose_name) for name in changed)},
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _File:
    """A file in the host's storage: its columns in the host's row, the hash of its bytes as they are there,
    and whether the host's field has kept the mark of its origin."""

    columns: Mapping[str, Any]
    sha256: str
    is_marked: bool
    is_new: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class _Before:
    """What was in the host's row before the first delivery, and the name of a copy of its file."""

    values: Mapping[str, Any]
    backup: str


def _put(target: Target, image: ProductImage) -> None:
    gallery = target.gallery
    # The widest JPEG of those that pages show: small enough for the web, and its origin is marked.
    files = [each for each in renditions.make_renditions(image) if each.format == "jpeg"]
    rendition = max(files, key=lambda each: each.width)
    picture = _picture(target, image, size=Size(rendition.width, rendition.height))
    with host_code(f"{type(gallery).__name__}.values()"):
        values = dict(gallery.values(picture))
    before = _before(target, values)
    file = _stored(target, picture, rendition=rendition)
    # Named until it is deleted: the process may be killed in between.
    replaced = target.written_file if file.is_new else ""
    try:
        with transaction.atomic():
            target.record(stored="")
            _lock(target.product)
            existing = target.rows().select_for_update().first()
            _require_same(target, existing, before=before.values)
            row, shifted = _write(target, existing, picture=picture, file=file, values=values)
            actual = snapshots.read(
                gallery.rows(target.product, str(row.pk)),
                snapshots.columns_of_created(type(row), without=(gallery.order, *gallery.unwatched))
                if gallery.creates_rows
                else _columns(target, values),
            )
            target.record(
                state=GalleryState.DELIVERED, attempts=0, problem="", overwrites=False,
                due_at=target.lease if replaced else None, stored=replaced, delivered_at=database_now(),
                before=before.values, backup=before.backup,
                written={
                    "image": image.pk, "row": str(row.pk), "values": actual, "shifted": shifted,
                    "sha256": file.sha256, "is_marked": file.is_marked,
                },
            )  # fmt: skip
    except Exception:
        if file.is_new:
            host_files.discard(target.field, file.columns[target.field.attname])
        raise
    if replaced:
        host_files.discard(target.field, replaced)
        target.record(due_at=None, stored="")


def _picture(target: Target, image: ProductImage, *, size: Size) -> GalleryPicture:
    delivery, product = target.delivery, target.product
    locale = delivery.locale or django_settings.LANGUAGE_CODE
    texts = dict(image.alts.values_list("locale", "text"))
    with host_code(f"{type(target.source).__name__}.alt()"):
        of_product = target.source.alt(product, locale)
    written = next((texts[code] for code in fallbacks(locale) if code in texts), "")
    place = image.checks.get("product")
    box = place and Box.of(Rect(*place), Size(image.width, image.height)).rect(size)
    return GalleryPicture(
        product=product,
        image=image,
        slot=delivery.slot,
        locale=delivery.locale,
        position=delivery.position,
        title=target.source.title(product),
        alt=resolve_alt(written, of_product=of_product, overlay_text=overlay_text(image)),
        rank=target.gallery.rank(delivery.slot, delivery.locale, delivery.position),
        size=size,
        product_box=box or None,
    )


def _columns(target: Target, names: Iterable[str]) -> list[str]:
    return [*snapshots.file_columns(target.field), *snapshots.columns_of(target.model, names)]


def _before(target: Target, names: Iterable[str]) -> _Before:
    """Return what is to be restored some day. Copies the file that is about to be replaced: packages that
    delete files no longer in use would delete it."""
    delivery = target.delivery
    if target.gallery.creates_rows:
        return _Before(values={}, backup="")
    if target.written and not delivery.overwrites:
        return _Before(values=delivery.before, backup=str(delivery.backup.name or ""))
    values = snapshots.read(target.rows(), _columns(target, names)) or {}
    name = str(values.get(target.field.attname) or "")
    data = host_files.read(target.field, name, is_ours=False) if name else None
    if data is None:
        return _Before(values=values, backup="")
    copy = storage.store(data, folder=FOLDER, mime_type="application/octet-stream")
    return _Before(values=values, backup=copy.name)


def _stored(target: Target, picture: GalleryPicture, *, rendition: Rendition) -> _File:
    """Return the picture's file in the host's storage, stored unless it is there."""
    field, written = target.field, target.written
    columns = snapshots.file_columns(field)
    if written.get("image") == picture.image.pk and not target.delivery.overwrites:
        return _File(
            columns={column: written["values"][column] for column in columns},
            sha256=written["sha256"], is_marked=written["is_marked"], is_new=False,
        )  # fmt: skip
    data = storage.read(str(rendition.file.name))
    # An instance of its own: storing sets the name and the size in it.
    gallery = target.gallery
    row = gallery.new_row(target.product) if gallery.creates_rows else target.rows().get()
    name = host_files.store(
        row, field, data, title=picture.title, expect=lambda name: target.record(stored=name)
    )
    target.record(stored=name)
    kept = host_files.read(field, name) or b""
    return _File(
        columns={column: row.__dict__[column] for column in columns} | {field.attname: name},
        sha256=sha256(kept).hexdigest(), is_marked=read_mark(kept) == read_mark(data), is_new=True,
    )  # fmt: skip


def _lock(product: Model) -> None:
    """Lock the host's row of ``product``: deliveries of one product are written one after the other."""
    locked = type(product)._base_manager.filter(pk=product.pk).select_for_update()
    if locked.values_list("pk", flat=True).first() is None:
        raise _changed_now()


def _require_same(target: Target, row: Model | None, *, before: Mapping[str, Any]) -> None:
    """Raise ``InvalidTransition`` if the host's row, now locked, is not as it was when it was looked at.

    ``before`` are its values then, if they are not those that were written.
    """
    is_known = bool(target.written) and not target.delivery.overwrites
    expected = target.written["values"] if is_known else before
    if row is None:
        if expected:
            raise _changed_now()
        return
    values = snapshots.read(type(row)._base_manager.filter(pk=row.pk), expected) or {}
    if snapshots.differing(values, expected):
        raise _changed_now()


def _changed_now() -> InvalidTransition:
    return InvalidTransition(
        _("The shop has changed its row at the same moment. It is tried again.")
    )


def _write(
    target: Target,
    row: Model | None,
    *,
    picture: GalleryPicture,
    file: _File,
    values: Mapping[str, Any],
) -> tuple[Model, bool]:
    """Save the host's row with the picture, a new one if ``row`` is None. Return it, and whether rows after
    it have moved on.

    Raises ``DeliveryEnded`` if it is not valid, ``RegistryError`` if the host's code raises.
    """
    gallery, shifted = target.gallery, False
    names: list[str] | None = None
    objected: set[tuple[str, str]] = set()
    if row is None:
        row = gallery.new_row(target.product)
        if gallery.order:
            siblings = gallery.siblings(target.product)
            at = ordering.order_for(
                ordering.read_orders(siblings, gallery.order),
                rank=picture.rank, ours=_others(target), first=gallery.is_first,
            )  # fmt: skip
            shifted = ordering.make_room(siblings, gallery.order, at=at)
            setattr(row, gallery.order, at)
    else:
        # The picture is not refused for what was not valid before, apart from what it replaces.
        names = [*snapshots.names_of(type(row), file.columns), *values]
        objected = {
            each for each in snapshots.objections(row, fields=names) if each[0] not in names
        }
        shifted = bool(target.written.get("shifted"))
    snapshots.assign(row, file.columns)
    for name, value in values.items():
        setattr(row, name, value)
    found = snapshots.objections(row, fields=names)
    if refused := [text for field, text in found if (field, text) not in objected]:
        raise DeliveryEnded(
            GalleryState.FAILED,
            _("The shop refuses the picture. %(reasons)s") % {"reasons": " ".join(refused)},
        )
    with host_code(f"save() of {type(row)._meta.label}"):
        gallery.save(row, names)
    return row, shifted


def _others(target: Target) -> list[tuple[tuple[int, ...], Any]]:
    """Return the ranks and keys of the rows that were created for other pictures of the product."""
    delivery, gallery = target.delivery, target.gallery
    rows = GalleryDelivery.objects.about(target.product).filter(gallery=gallery.key)
    to_key = target.model._meta.pk.to_python
    return [
        (gallery.rank(row.slot, row.locale, row.position), to_key(row.written["row"]))
        for row in rows.exclude(pk=delivery.pk)
        if row.written and gallery.takes(row.slot, row.locale, row.position)
    ]


def _take_back(target: Target) -> None:
    """Delete the created row, or write back what was there before; then forget the delivery."""
    field, name = target.field, target.written_file
    values = dict(target.delivery.before)
    backup, old = str(target.delivery.backup.name or ""), str(values.get(field.attname) or "")
    if target.written and backup and old:
        host_files.put_back(field, old, lambda: storage.read(backup))
    with transaction.atomic():
        # Kept until the file is deleted, which a process that is killed leaves to the next attempt.
        target.record(stored=name, written={}, before={}, backup="")
        if target.written:
            _lock(target.product)
            row = target.rows().select_for_update().first()
            _require_same(target, row, before={})
            if row is None:
                raise _changed_now()
            if target.gallery.creates_rows:
                _delete(target, row)
            else:
                _restore(target, row, values)
    if name:
        host_files.discard(field, name)
    GalleryDelivery.objects.filter(pk=target.delivery.pk, due_at=target.lease).delete()


def _delete(target: Target, row: Model) -> None:
    gallery, orders = target.gallery, {}
    if users := gallery.users_of(row):
        raise DeliveryEnded(
            GalleryState.CHANGED,
            _(
                "The delivered picture is used by %(users)s of the shop. Use another one there, then take it "
                "back again, or leave it."
            )
            % {"users": ", ".join(users)},
        )
    if gallery.order:
        siblings = gallery.siblings(target.product).exclude(pk=row.pk)
        orders = ordering.read_orders(siblings, gallery.order)
        own = getattr(row, gallery.order)
        if target.written.get("shifted") and own is not None and own not in orders.values():
            orders = {key: order - (order > own) for key, order in orders.items()}
    with host_code(f"delete() of {type(row)._meta.label}"):
        gallery.delete(row)
    if gallery.order:
        # Whatever order the host's delete() has given them.
        ordering.write_orders(gallery.siblings(target.product), gallery.order, orders)


def _restore(target: Target, row: Model, values: Mapping[str, Any]) -> None:
    known = snapshots.fields_of(type(row))
    snapshots.assign(row, values)
    with host_code(f"save() of {type(row)._meta.label}"):
        target.gallery.save(row, snapshots.names_of(type(row), values))
    rows = target.rows()
    # What the host's save() makes of them is not what was there.
    changed = snapshots.differing(snapshots.read(rows, values) or {}, values)
    if changed:
        rows.update(**{known[name].name: known[name].to_python(values[name]) for name in changed})
