"""The built-in provider: valid requests give a marked JPEG, the same one each time."""

from __future__ import annotations

import asyncio
import threading
from io import BytesIO

import numpy as np
import pytest
from PIL import Image, ImageDraw, JpegImagePlugin

from nb_catalog.core.types import Reference, Treatment
from nb_catalog.exceptions import (
    CutoutRefused,
    InvalidSettings,
    NoPicture,
    PictureMissing,
    PictureTooLarge,
    PictureUnreadable,
    RequestRejected,
)
from nb_catalog.imaging.cutout import cut_out
from nb_catalog.imaging.provenance import DigitalSourceType, read_mark
from nb_catalog.imaging.scenery import render
from nb_catalog.providers import local as local_module
from nb_catalog.providers import provider
from nb_catalog.providers.local import LocalProvider, render_variant
from nb_catalog.providers.types import ImageRequest, RawResponse
from tests.imaging.pictures import bottle, saved

OAK = {"surface": {"kind": "oak", "tone": "#b98a5a"}, "wall": {"kind": "plaster"}}
seen: list[int] = []


def photo(image: Image.Image | None = None, *, role: str = "product") -> Reference:
    return Reference(data=saved(image or bottle(400)), mime_type="image/png", role=role)


def request(**changes: object) -> ImageRequest:
    fields = {
        "model": "local-studio", "prompt": "On oak.", "ratio": "4:5", "size": "512",
        "references": (photo(),), "renderer": OAK, "seed": 3, **changes,
    }  # fmt: skip
    return ImageRequest(**fields)


def local(**options: object) -> LocalProvider:
    return LocalProvider(alias="local", **options)


def picture(**changes: object) -> bytes:
    one = local()
    return one.parse(asyncio.run(one.send(one.build(request(**changes))))).data


def lowest_red(data: bytes) -> int:
    red, green, blue = np.moveaxis(np.asarray(Image.open(BytesIO(data))).astype(int), 2, 0)
    return int(np.flatnonzero(((red > 150) & (green < 80) & (blue < 90)).any(1))[-1])


def watching(image: Image.Image):
    seen.append(threading.get_ident())
    return cut_out(image)


def test_it_costs_nothing_and_composites_by_itself():
    one = provider("local")
    assert isinstance(one, LocalProvider)
    assert one.is_free
    assert one.composites
    assert list(one.check()) == []


def test_the_picture_has_the_size_asked_for_and_its_colour_in_full():
    with Image.open(BytesIO(picture())) as image:
        image.load()
        assert image.format == "JPEG"
        assert image.size == (464, 576)
        assert JpegImagePlugin.get_sampling(image) == 0


def test_the_picture_is_marked_as_computed_without_a_model():
    assert read_mark(picture()) is DigitalSourceType.ALGORITHMIC


def test_the_result_names_what_made_it():
    one = local()
    result = one.parse(RawResponse(body=b"\xff\xd8\xff"))
    assert (result.mime_type, result.model_version) == ("image/jpeg", "local-studio/1")
    with pytest.raises(NoPicture):
        one.parse(RawResponse(body=b""))


def test_the_same_seed_makes_the_same_bytes_and_another_seed_another_picture():
    first = picture(seed=5)
    assert picture(seed=5) == first
    one, other = (
        np.asarray(Image.open(BytesIO(each))).astype(float) for each in (first, picture(seed=6))
    )
    assert np.abs(one - other).mean() > 3


def test_the_label_on_the_product_is_still_there():
    image = np.asarray(Image.open(BytesIO(picture())).convert("RGB")).astype(int)
    yellow = np.abs(image - (214, 190, 60)).max(2) < 16
    assert yellow.mean() > 0.01


def test_the_work_is_done_off_the_event_loop():
    seen.clear()
    one = local(cutter=f"{__name__}.watching")
    asyncio.run(one.send(one.build(request())))
    assert len(seen) == 1
    assert seen[0] != threading.get_ident()


def test_painting_is_refused_with_what_to_do_instead():
    with pytest.raises(RequestRejected, match="locked treatment"):
        local().build(request(treatment=Treatment.PAINTED))


def test_a_scene_without_a_recipe_is_refused():
    with pytest.raises(RequestRejected, match="recipe for the local renderer"):
        local().build(request(renderer={}))


@pytest.mark.parametrize("references", [(), (photo(role="anchor"),)], ids=["none", "anchor only"])
def test_without_a_photo_of_the_product_there_is_nothing_to_do(references):
    with pytest.raises(PictureMissing):
        local().build(request(references=references))


@pytest.mark.parametrize(("ratio", "size"), [("4:5", "8K"), ("7:5", "1K")])
def test_a_size_that_is_not_in_the_table_is_refused(ratio, size):
    with pytest.raises(RequestRejected, match="There is no"):
        local().build(request(ratio=ratio, size=size))


def test_a_wrong_recipe_is_refused_by_the_name_of_its_key():
    one = local()
    payload = one.build(request(renderer={"surface": {"kind": "oka"}}))
    with pytest.raises(RequestRejected, match=r"surface\.kind.*Did you mean 'oak'"):
        asyncio.run(one.send(payload))


def test_a_busy_photo_is_refused_and_not_tried_again():
    noise = np.random.default_rng(3).integers(0, 255, (300, 300, 3), dtype=np.uint8)
    one = local()
    payload = one.build(request(references=(photo(Image.fromarray(noise)),)))
    with pytest.raises(CutoutRefused) as caught:
        asyncio.run(one.send(payload))
    assert not caught.value.retryable


def test_a_damaged_photo_is_told_as_such():
    one = local()
    cut_short = Reference(data=photo().data[:900], mime_type="image/png")
    with pytest.raises(PictureUnreadable):
        asyncio.run(one.send(one.build(request(references=(cut_short,)))))


def test_the_hosts_limit_on_pixels_holds(settings):
    settings.NB_CATALOG = {"MAX_PICTURE_PIXELS": 1000}
    with pytest.raises(PictureTooLarge):
        picture()


def test_a_host_can_bring_its_own_cutter(settings):
    settings.NB_CATALOG = {
        "PROVIDERS": {
            "local": {
                "BACKEND": "nb_catalog.providers.local.LocalProvider",
                "OPTIONS": {"cutter": f"{__name__}.watching"},
            }
        }
    }
    assert provider("local").cutter is watching


def test_a_cutter_that_does_not_import_is_told_by_its_settings_path():
    with pytest.raises(InvalidSettings, match=r"PROVIDERS.*local.*cutter.*no\.such\.thing"):
        local(cutter="no.such.thing")


def test_a_cutter_that_cannot_be_called_is_found_by_the_checks():
    warnings = local(cutter=f"{__name__}.OAK").check()
    assert [each.id for each in warnings] == ["nb_catalog.W101"]


def test_building_leaves_the_request_alone_and_needs_no_settings():
    body = local().build(request(seed=9)).body
    assert body["seed"] == 9
    assert body["size"] == (464, 576)
    assert body["renderer"] == OAK
    assert Image.open(BytesIO(render_variant(body)[0])).size == (464, 576)


@pytest.mark.parametrize(("pose", "view"), [("", "front"), ("standing", "front"), ("lying", "top")])
def test_the_host_says_how_a_product_rests(monkeypatch, pose, view):
    views = []

    def watched(recipe, **options):
        views.append(options["view"])
        return render(recipe, **options)

    monkeypatch.setattr(local_module, "render", watched)
    picture(pose=pose)
    assert views == [view]


def test_what_is_said_to_stand_does_not_hang_though_it_looks_like_a_ball():
    ball = Image.new("RGBA", (300, 300))
    ImageDraw.Draw(ball).ellipse((20, 20, 280, 280), fill=(200, 30, 40, 255))
    from_the_front = {"references": (photo(ball),), "renderer": {**OAK, "view": "front"}}
    judged, stood, hung = (
        picture(pose=each, **from_the_front) for each in ("", "standing", "lying")
    )
    assert judged == hung
    assert lowest_red(stood) > lowest_red(hung) + 5


def test_a_scene_that_names_its_view_wins_over_what_the_host_says():
    from_above = {**OAK, "view": "top"}
    assert picture(renderer=from_above, pose="standing") == picture(
        renderer=from_above, pose="lying"
    )


def test_an_unknown_posture_is_refused_with_the_known_ones():
    with pytest.raises(RequestRejected, match=r"pose 'flat'.*'standing', 'lying'"):
        local().build(request(pose="flat"))
