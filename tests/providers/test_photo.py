"""The built-in provider of own photos: what it refuses, and what it reports."""

import asyncio

import pytest

from nb_catalog.core.types import Reference, Treatment
from nb_catalog.exceptions import CropRefused, NoPicture, PictureMissing, RequestRejected
from nb_catalog.imaging.provenance import DigitalSourceType, read_mark
from nb_catalog.providers import provider
from nb_catalog.providers.photo import PhotoProvider
from nb_catalog.providers.types import ImageRequest, RawResponse
from tests.imaging.pictures import colourful, saved


def request(photo=None, **changes):
    reference = Reference(data=photo or saved(colourful(160, 120)), mime_type="image/png")
    fields = {
        "model": "photo", "prompt": "", "ratio": "", "size": "", "treatment": Treatment.PHOTO,
        "references": (reference,), **changes,
    }  # fmt: skip
    return ImageRequest(**fields)


def result(**changes):
    ours = PhotoProvider(alias="photo")
    return ours.parse(asyncio.run(ours.send(ours.build(request(**changes)))))


def test_it_is_there_by_default_and_costs_nothing():
    ours = provider("photo")
    assert isinstance(ours, PhotoProvider) and ours.is_free and ours.composites
    assert list(ours.check()) == []


def test_it_returns_the_photo_s_own_type_and_reports_what_it_changed():
    whole = result(photo=saved(colourful(160, 120), "WEBP", quality=80))
    assert (whole.mime_type, whole.report, whole.model_version) == ("image/webp", {}, "photo/1")
    cropped = result(ratio="1:1")
    assert (cropped.mime_type, cropped.report) == ("image/png", {"photo_changes": ["cropped"]})
    assert read_mark(cropped.data) == DigitalSourceType.CAPTURE


def test_a_photo_that_is_all_product_is_not_cropped():
    with pytest.raises(CropRefused):
        result(ratio="1:1", photo_kind="full_frame")


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"treatment": Treatment.LOCKED}, RequestRejected),
        ({"ratio": "wide"}, RequestRejected),
        ({"references": ()}, PictureMissing),
    ],
)
def test_what_it_cannot_do_is_refused_before_anything_is_read(changes, error):
    with pytest.raises(error):
        PhotoProvider(alias="photo").build(request(**changes))


def test_an_empty_response_is_not_a_picture():
    with pytest.raises(NoPicture):
        PhotoProvider(alias="photo").parse(RawResponse(body=b""))
