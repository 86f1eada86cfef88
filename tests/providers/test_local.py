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
    NoPicture,
    PictureError,
    PictureMissing,
    PictureTooLarge,
    PictureUnreadable,
    RequestRejected,
)
from nb_catalog.imaging.cutout import CutoutBackend, FoundMask
from nb_catalog.imaging.cutout.mask_files import save_mask
from nb_catalog.imaging.provenance import DigitalSourceType, read_mark
from nb_catalog.imaging.scenery import render
from nb_catalog.providers import local as local_module
from nb_catalog.providers import provider
from nb_catalog.providers.local import LocalProvider, render_variant
from nb_catalog.providers.types import ImageRequest, RawResponse
from tests.imaging.pictures import bottle, on_ground, saved

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


def local() -> LocalProvider:
    return LocalProvider(alias="local")


def picture(**changes: object) -> bytes:
    one = local()
    return one.parse(asyncio.run(one.send(one.build(request(**changes))))).data


def lowest_red(data: bytes) -> int:
    red, green, blue = np.moveaxis(np.asarray(Image.open(BytesIO(data))).astype(int), 2, 0)
    return int(np.flatnonzero(((red > 150) & (green < 80) & (blue < 90)).any(1))[-1])


class Watching(CutoutBackend):
    """Takes the middle of a photo for the product, and notes the thread."""

    def find_mask(self, view: Image.Image) -> FoundMask:
        seen.append(threading.get_ident())
        alpha = np.zeros((view.height, view.width), np.uint8)
        alpha[view.height // 4 : -view.height // 4, view.width // 4 : -view.width // 4] = 255
        return FoundMask(alpha=alpha, method="network", maker="t/1", score=0.5, reasons=("room",))


WATCHED = {"CUTOUT": {"BACKEND": f"{__name__}.Watching"}}


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


def test_a_photo_too_small_for_the_size_makes_a_smaller_picture_and_says_so():
    one = local()
    result = one.parse(asyncio.run(one.send(one.build(request(size="2K")))))
    report = result.report["small_photo"]
    assert report["requested"] == [1856, 2304]
    assert report["made"] == [464, 576] == list(Image.open(BytesIO(result.data)).size)
    assert report["enlarged"] <= 1.5
    assert result.data == picture(size="512"), "the composition is that of every size"


def test_a_tiny_photo_still_makes_a_picture_and_says_how_far_it_is_enlarged():
    one = local()
    tiny = request(size="1K", references=(photo(bottle(80)),))
    result = one.parse(asyncio.run(one.send(one.build(tiny))))
    assert result.report["small_photo"]["made"] == [464, 576]
    assert result.report["small_photo"]["enlarged"] > 4


def test_a_photo_of_a_few_pixels_is_refused_with_how_far_it_would_be_enlarged():
    one = local()
    tiny = one.build(request(size="1K", references=(photo(bottle(36)),)))
    with pytest.raises(
        PictureError, match=r"enlarged 1\d\.\d times .* at most 8 times are possible"
    ):
        asyncio.run(one.send(tiny))


def test_a_photo_that_is_large_enough_needs_no_remark():
    one = local()
    large = request(size="1K", references=(photo(bottle(900)),))
    result = one.parse(asyncio.run(one.send(one.build(large))))
    assert Image.open(BytesIO(result.data)).size == (928, 1152)
    assert set(result.report) == {"product", "view"}


def test_the_label_on_the_product_is_still_there():
    image = np.asarray(Image.open(BytesIO(picture())).convert("RGB")).astype(int)
    yellow = np.abs(image - (214, 190, 60)).max(2) < 16
    assert yellow.mean() > 0.01


def test_the_work_is_done_off_the_event_loop(settings):
    settings.NB_CATALOG = WATCHED
    seen.clear()
    one = local()
    opaque = photo(on_ground(bottle(), "white"))
    asyncio.run(one.send(one.build(request(references=(opaque,)))))
    assert len(seen) == 1
    assert seen[0] != threading.get_ident()


def test_painting_is_refused_with_what_to_do_instead():
    with pytest.raises(RequestRejected, match="locked treatment"):
        local().build(request(treatment=Treatment.PAINTED))


def test_a_relit_picture_differs_and_reports_by_how_much():
    one = local()
    red = {"surface": {"kind": "plaster", "tone": "#b4532f"}, "light": {"kind": "sun"}}
    locked, relit = (
        one.parse(asyncio.run(one.send(one.build(request(renderer=red, treatment=each)))))
        for each in (Treatment.LOCKED, Treatment.RELIT)
    )
    assert "relit" not in locked.report
    assert locked.report["product"] == relit.report["product"]
    assert 0.3 < relit.report["relit"]["median"] <= 6
    assert locked.data != relit.data
    assert read_mark(relit.data) is DigitalSourceType.ALGORITHMIC


def noise_photo() -> Reference:
    noise = np.random.default_rng(3).integers(0, 255, (300, 200, 3), dtype=np.uint8)
    return photo(Image.fromarray(noise))


@pytest.mark.parametrize(
    ("pose", "view", "is_turned"),
    [("", "auto", True), ("standing", "auto", True), ("lying", "auto", False),
     ("", "top", False), ("lying", "front", False), ("standing", "front", True)],
)  # fmt: skip
def test_a_photo_that_is_all_product_is_a_board_that_stands_lies_or_hangs(pose, view, is_turned):
    one = local()
    options = {"references": (noise_photo(),), "photo_kind": "full_frame", "pose": pose}
    renderer = {"surface": {"kind": "paper"}, "view": view}
    body = one.build(request(renderer=renderer, **options))
    result = one.parse(asyncio.run(one.send(body)))
    left, top, width, height = result.report["product"]
    # Turned, it is narrower, and the upper left corner of its rectangle shows the scene.
    assert (width / height < 0.655) == is_turned
    pixels = np.asarray(Image.open(BytesIO(result.data)).convert("RGB")).astype(float)
    assert pixels[top + 30 : top + height - 30, left + 20 : left + width - 20].std() > 20


def test_only_a_photo_that_is_all_product_gets_away_without_a_background():
    one = local()
    payload = one.build(request(references=(noise_photo(),), photo_kind="packshot"))
    with pytest.raises(CutoutRefused):
        asyncio.run(one.send(payload))


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


def test_the_hosts_own_backend_finds_the_product(settings):
    settings.NB_CATALOG = WATCHED
    seen.clear()
    busy = np.random.default_rng(3).integers(0, 255, (300, 300, 3), dtype=np.uint8)
    picture(references=(photo(Image.fromarray(busy)),))
    assert len(seen) == 1


def test_the_doubts_about_a_cut_out_are_reported_with_the_picture(settings):
    settings.NB_CATALOG = WATCHED
    one = local()
    busy = np.random.default_rng(3).integers(0, 255, (300, 300, 3), dtype=np.uint8)
    made = one.build(request(references=(photo(Image.fromarray(busy)),)))
    report = one.parse(asyncio.run(one.send(made))).report
    assert report["cutout"] == {"method": "network", "score": 0.5, "reasons": ["room"]}


def test_a_mask_that_comes_with_the_request_is_used_and_nothing_is_searched(settings):
    settings.NB_CATALOG = WATCHED
    seen.clear()
    busy = np.random.default_rng(3).integers(0, 255, (300, 300, 3), dtype=np.uint8)
    whole = photo(Image.fromarray(busy))
    alpha = np.zeros((300, 300), np.uint8)
    alpha[40:260, 100:200] = 255
    mask = Reference(data=save_mask(alpha), mime_type="image/png", role="mask")
    one = local()
    result = one.parse(asyncio.run(one.send(one.build(request(references=(whole, mask))))))
    assert seen == [] and "cutout" not in result.report
    left, top, width, height = result.report["product"]
    assert height / width == pytest.approx(2.2, abs=0.1)


def test_a_mask_of_another_shape_is_refused_with_both_sizes():
    mask = Reference(
        data=save_mask(np.full((40, 90), 255, np.uint8)), mime_type="image/png", role="mask"
    )
    one = local()
    payload = one.build(request(references=(photo(on_ground(bottle(), "white")), mask)))
    with pytest.raises(CutoutRefused, match=r"90 × 40.*512 × 512"):
        asyncio.run(one.send(payload))


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


def test_the_camera_of_a_set_and_the_proportion_decide_where_the_product_is():
    plain = {"surface": {"kind": "plain", "tone": "#ffffff"}}
    camera = {"view": "front", "framing": {"fill": 0.6, "baseline": 0.2}}
    for share in (1.0, 0.5):
        data = picture(renderer=plain, camera=camera, proportion=share, ratio="1:1")
        image = Image.open(BytesIO(data)).convert("L")
        # The bottle without its shadow, which is paler.
        rows = np.flatnonzero((np.asarray(image) < 90).any(1)) / image.height
        assert rows[-1] == pytest.approx(0.8, abs=0.01)
        assert rows[-1] - rows[0] == pytest.approx(0.6 * share, abs=0.01)


@pytest.mark.parametrize(
    "changes",
    [
        {"camera": {"view": "below"}},
        {"proportion": 0.1},
        {"camera": {"framing": {"place": "vary"}}},
    ],
)
def test_a_camera_or_a_proportion_that_cannot_be_is_refused_before_anything_is_drawn(changes):
    with pytest.raises(RequestRejected, match="camera of the set is invalid"):
        local().build(request(**changes))
