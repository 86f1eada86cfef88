"""Files in the host's storages: stored, read and deleted through the host's own fields.

The fields themselves store and delete, so that what a field does with its files (thumbnails, smaller sizes)
happens as if a person had uploaded them.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import reduce
from operator import or_
from typing import Any, Final
from uuid import uuid4

from django.core.files.base import ContentFile
from django.db.models import FileField, Model, Q
from django.utils.text import slugify
from django.utils.translation import gettext_lazy as _

from nb_catalog.conf import settings
from nb_catalog.core.attributes import host_code
from nb_catalog.exceptions import StorageFailed

logger = logging.getLogger(__name__)

# Image fields hold 100 characters by default, with the folder.
_LONGEST_SLUG: Final = 40
SAVING: Final = _("The storage of %(field)s failed to save a file (%(error)s).")
READING: Final = _("The storage of %(field)s failed to read a file (%(error)s).")


def new_name(title: str) -> str:
    """Return a name for a JPEG of the product ``title`` that no other file has, and that
    ``core.gallery_files.is_delivered`` recognizes. Its beginning does so: storages cut the end off."""
    slug = slugify(title)[:_LONGEST_SLUG].strip("-_")
    return f"nbc-{uuid4().hex[:8]}-{slug or 'picture'}.jpg"


def store(
    row: Model, field: FileField, data: bytes, *, title: str, expect: Callable[[str], None]
) -> str:
    """Store ``data`` as the file of ``field``, and set it in ``row``, which is not saved. Return its name.

    ``expect`` is called with the expected name first: the process may be killed at any moment. Raises
    ``StorageFailed``, and ``RegistryError`` if the host's ``upload_to`` raises.
    """
    name = new_name(title)
    with host_code(f"upload_to of {field.model._meta.label}.{field.name}"):
        expected = field.generate_filename(row, name)
    expect(expected)
    try:
        getattr(row, field.name).save(name, ContentFile(data), save=False)
    except Exception as error:  # noqa: BLE001 - storages and fields of the host with any error
        raise _failed(
            field, error, _("The storage of %(field)s failed to save a file (%(error)s).")
        ) from error
    return str(getattr(row, field.name).name)


def read(field: FileField, name: str, *, is_ours: bool = True) -> bytes | None:
    """Return the file ``name``, None if it is not there. Raises ``StorageFailed``.

    Of a file that should be one that was delivered, only so much is read that a larger one than
    ``MAX_PICTURE_BYTES`` differs.
    """
    try:
        with field.storage.open(name, "rb") as file:
            data: bytes = file.read(settings.MAX_PICTURE_BYTES + 1) if is_ours else file.read()
    except FileNotFoundError:
        return None
    except Exception as error:  # noqa: BLE001 - a storage may be any foreign code with any error
        raise _failed(
            field, error, _("The storage of %(field)s failed to read a file (%(error)s).")
        ) from error
    return data


def put_back(field: FileField, name: str, data: Callable[[], bytes]) -> None:
    """Store the host's own file ``name`` again unless it is there. Raises ``StorageFailed``."""
    try:
        if not field.storage.exists(name):
            field.storage.save(name, ContentFile(data()))
    except Exception as error:  # noqa: BLE001 - a storage may be any foreign code with any error
        raise _failed(
            field, error, _("The storage of %(field)s failed to save a file (%(error)s).")
        ) from error


def discard(field: FileField, name: str) -> None:
    """Delete the file ``name``, which was delivered, with what the field has derived from it. A storage that
    fails keeps it, which is logged.

    It stays while a row of the model names it in any of its fields, such as a copy that the shop has made of
    the product. No storage checks and deletes in one step: if a row names it once it is deleted, it is stored
    again. Call it once the row that it was delivered to does not.
    """
    fields = [each for each in field.model._meta.concrete_fields if isinstance(each, FileField)]
    users = field.model._base_manager.filter(
        reduce(or_, (Q(**{each.name: name}) for each in fields))
    )
    if users.exists():
        logger.info("The delivered file %s stays: another row uses it.", name)
        return
    row = field.model()
    row.__dict__[field.attname] = name
    try:
        data = read(field, name, is_ours=False)
        getattr(row, field.name).delete(save=False)
    except Exception as error:  # noqa: BLE001 - storages and fields of the host with any error
        logger.warning("The delivered file %s was not deleted: %s", name, type(error).__name__)
        return
    if data is not None and users.all().exists():
        try:
            put_back(field, name, lambda: data)
        except StorageFailed as error:
            logger.error("A row has begun to use the file %s while it was deleted: %s", name, error)


def _failed(field: Any, error: Exception, message: object) -> StorageFailed:
    label = f"{field.model._meta.label}.{field.name}"
    return StorageFailed(str(message) % {"field": label, "error": type(error).__name__})
