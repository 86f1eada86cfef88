"""A shop with lamps, whose pictures go into fields of its own and into related rows."""

import json
import shutil
from datetime import timedelta
from io import BytesIO

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.serializers import serialize
from django.db import models
from PIL import Image

from nb_catalog import publishing
from nb_catalog.core.states import ImageState
from nb_catalog.models import GalleryDelivery
from nb_catalog.publishing import galleries
from nb_catalog.publishing.galleries import ImageFieldGallery, RelatedRowsGallery
from tests import factories
from tests.catalog.models import Lamp, LampPhoto, LampVariant

GALLERIES = (
    ImageFieldGallery(
        {"": "image", "de": "image_de"}, slot="hero", alt={"": "image_alt"}
    ),
    RelatedRowsGallery(
        "photos", file="file", order="position", alt="alt", caption="caption",
        slots=("gallery", "hero"), place="first", defaults={"kind": "generated"},
    ),
)  # fmt: skip


FOLDERS = ("lamps", "lamp-photos")


def delete_files():
    for folder in FOLDERS:
        shutil.rmtree(default_storage.path(folder), ignore_errors=True)


def jpeg(colour):
    written = BytesIO()
    Image.new("RGB", (20, 16), colour).save(written, "JPEG")
    return ContentFile(written.getvalue(), f"{colour}.jpg")


def host_tables():
    """Every value of the host's rows, and its files with their bytes."""
    rows = [
        json.loads(serialize("json", model.objects.order_by("pk")))
        for model in (Lamp, LampPhoto, LampVariant)
    ]
    files = {}
    for folder in FOLDERS:
        if default_storage.exists(folder):
            for name in default_storage.listdir(folder)[1]:
                with default_storage.open(f"{folder}/{name}") as file:
                    files[f"{folder}/{name}"] = file.read()
    return rows, files


def publish(lamp, slot="hero", **place):
    image = factories.image(lamp, state=ImageState.APPROVED)
    return publishing.publish(image, slot=slot, actor=None, **place)


def deliver():
    """Work as upkeep does, whatever pause there is before the next try."""
    GalleryDelivery.objects.filter(due_at__isnull=False).update(
        due_at=models.F("due_at") - timedelta(days=1)
    )
    return galleries.deliver_due()


def states():
    return dict(GalleryDelivery.objects.values_list("gallery", "state"))


def problem(key="image"):
    return GalleryDelivery.objects.get(gallery=key).problem


def data_of(file):
    with file.open() as opened:
        return opened.read()
