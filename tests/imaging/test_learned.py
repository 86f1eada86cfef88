"""What a network and colours find together, and the doubts about it, with networks whose truth is known."""

from __future__ import annotations

from io import BytesIO

import cv2
import numpy as np
import pytest
from PIL import Image, ImageDraw

from nb_catalog.exceptions import CutoutRefused
from nb_catalog.imaging.cutout import backends, describe_reason, find_mask
from nb_catalog.imaging.cutout.backends import NetworkCutout
from nb_catalog.imaging.cutout.background import lab
from nb_catalog.imaging.cutout.classical import examine_ground
from nb_catalog.imaging.cutout.masks import mask_by_colour
from nb_catalog.imaging.cutout.reasons import REASONS
from tests.imaging import onnx_files
from tests.imaging.pictures import bottle, ground, mug, on_ground, saved
from tests.imaging.test_cutout import overlap, true_outline


class Watched(NetworkCutout):
    """Notes the sizes at which the network looked."""

    def __init__(self, **options):
        super().__init__(**options)
        self.looks = []
        find = self.network.find

        def noted(photo, *, side, **more):
            self.looks.append(side)
            return find(photo, side=side, **more)

        self.network.find = noted


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Return a backend with a network that takes what is dark for the product."""
    directory = tmp_path_factory.mktemp("networks")
    built = {}

    def make(**options):
        key = tuple(options.items())
        if key not in built:
            file = directory / f"{len(built)}.onnx"
            built[key] = onnx_files.save(file, onnx_files.network(**options))
        return Watched(**built[key])

    return make


def alpha_of(found) -> np.ndarray:
    return found.alpha / 255


def dark_shapes(*boxes, size=(400, 400), on=245) -> Image.Image:
    photo = Image.new("RGB", size, (on,) * 3)
    for box in boxes:
        ImageDraw.Draw(photo).rectangle(box, fill=(20, 40, 60))
    return photo


@pytest.mark.parametrize("name", ["white", "grey gradient", "light blue"])
def test_a_bright_label_that_the_network_leaves_out_is_product(made, name):
    backend = made()
    found = backend.find_mask(on_ground(bottle(), name))
    assert overlap(alpha_of(found), true_outline(bottle())) > 0.975
    assert (found.method, found.reasons, found.is_plain) == ("fused", (), True)
    alone = backend.network.find(on_ground(bottle(), name), side=512) > 0.5
    assert not alone[300, 325], "the network alone leaves out the label"


@pytest.mark.parametrize("name", ["white", "grey gradient"])
def test_the_ground_shows_through_a_handle(made, name):
    found = made().find_mask(on_ground(mug(), name))
    assert overlap(alpha_of(found), true_outline(mug())) > 0.975
    assert found.alpha[266, 160] == 0 and found.alpha[266, 300] == 255


def test_a_bar_of_shadow_beside_the_product_is_left_out(made):
    photo = dark_shapes((120, 60, 280, 300))
    ImageDraw.Draw(photo).rectangle((90, 330, 310, 350), fill=(205, 205, 205))
    found = made().find_mask(photo)
    assert found.alpha[340, 200] == 0 and found.alpha[200, 200] == 255
    assert found.is_certain


def studio(
    product: Image.Image, *, tone: int = 232, shift: tuple[int, int] = (40, 24)
) -> Image.Image:
    """``product`` on a grey ground, with its soft shadow beside it and in its holes."""
    opaque = np.asarray(product.getchannel("A")).astype(np.float32) / 255
    size = (product.width, product.height)
    moved = cv2.warpAffine(opaque, np.float32([[1, 0, shift[0]], [0, 1, shift[1]]]), size)
    dark = 1 - 0.22 * cv2.GaussianBlur(np.maximum(moved, opaque), (0, 0), 9)
    noise = np.random.default_rng(5).normal(0, 0.8, dark.shape)
    ground = np.clip(tone * dark + noise, 0, 255)[..., None].repeat(3, axis=2)
    pixels = np.asarray(product)[..., :3] * opaque[..., None] + ground * (1 - opaque[..., None])
    photo = Image.fromarray(pixels.astype(np.uint8))
    return Image.open(BytesIO(saved(photo, "JPEG", quality=90))).convert("RGB")


def test_the_soft_shadow_that_touches_a_product_is_left_out(made):
    """The network takes what is dark for the product: a shadow on a light ground is not dark enough."""
    photo = studio(bottle())
    found = made().find_mask(photo)
    assert found.is_plain and overlap(alpha_of(found), true_outline(bottle())) > 0.97
    by_colour = mask_by_colour(lab(np.asarray(photo)), background=examine_ground(photo).background)
    assert overlap(by_colour, true_outline(bottle())) < 0.9, "its colours alone show more"
    assert found.is_certain


def test_a_grey_part_with_an_edge_is_not_taken_for_a_shadow(made):
    photo = dark_shapes((120, 60, 280, 300))
    ImageDraw.Draw(photo).rectangle((281, 120, 330, 200), fill=(150, 150, 150))
    found = made().find_mask(photo)
    assert found.alpha[160, 310] == 255


def test_a_handle_in_whose_gap_a_shadow_is_seen_is_to_be_looked_at(made):
    found = made().find_mask(studio(mug()))
    assert found.reasons == ("holes",)
    assert found.alpha[266, 300] == 255
    assert "holes" not in made().find_mask(on_ground(mug(), "white")).reasons


def test_two_things_in_a_room_are_several_and_a_pair_on_a_plain_ground_is_one(made):
    pair = dark_shapes((60, 60, 170, 300), (220, 60, 340, 300))
    assert "several_pieces" in made().find_mask(busy(pair)).reasons
    assert "several_pieces" not in made().find_mask(pair).reasons


def test_the_network_looks_again_only_where_it_is_in_doubt(made):
    sure, unsure = made(), made(steepness=8.0)
    sure.find_mask(on_ground(mug(), "white"))
    assert sure.looks == [512]
    found = unsure.find_mask(on_ground(mug(), "white"))
    assert unsure.looks == [512, 1024]
    assert "unsure" in found.reasons and found.score < 0.9
    assert 1024 not in unsure.network._sessions, "its memory is given back"


def test_a_network_of_one_size_looks_once(made):
    backend = made(side=320, steepness=1.5)
    assert "unsure" in backend.find_mask(on_ground(mug(), "white")).reasons
    assert backend.looks == [320]


def busy(photo: Image.Image) -> Image.Image:
    """The same before a wall of bright stripes."""
    pixels = np.array(photo)
    ground = (pixels > 200).all(axis=2)
    pixels[..., 0][ground & (np.indices(ground.shape)[1] // 12 % 2 == 0)] = 130
    return Image.fromarray(pixels)


def test_what_is_found_in_a_room_is_never_certain(made):
    found = made().find_mask(busy(dark_shapes((120, 60, 280, 300))))
    assert "room" in found.reasons and not found.is_certain
    assert (found.method, found.is_plain) == ("network", False)
    assert found.alpha[200, 200] > 250 and found.alpha[20, 20] == 0


@pytest.mark.parametrize(
    ("boxes", "reason"),
    [
        ([(120, 200, 280, 400)], "touches_frame"),
        ([(40, 60, 120, 300), (160, 60, 240, 300), (290, 60, 360, 300)], "several_pieces"),
        ([(190, 190, 212, 212)], "small"),
    ],
)
def test_what_a_person_should_look_at_is_made_and_marked(made, boxes, reason):
    found = made().find_mask(dark_shapes(*boxes))
    assert found.reasons == (reason,)
    assert describe_reason(reason) != reason
    assert found.alpha.max() == 255


def test_a_pair_is_one_product(made):
    assert made().find_mask(dark_shapes((60, 60, 170, 300), (220, 60, 340, 300))).is_certain


@pytest.mark.parametrize(
    ("boxes", "what"),
    [
        ([], "finds no product"),
        ([(0, 0, 400, 400)], "fills the photo"),
        ([(0, 60, 400, 400)], "fills the photo"),
    ],
    ids=["empty", "full", "cut on three sides"],
)
def test_where_there_is_nothing_to_show_the_ways_out_are_named(made, boxes, what):
    with pytest.raises(CutoutRefused, match=f"{what}.*transparent background"):
        made().find_mask(dark_shapes(*boxes))


def test_photos_of_any_shape_have_a_mask_of_their_size(made):
    photo = dark_shapes((60, 20, 140, 90), size=(700, 110))
    found = made().find_mask(photo)
    assert found.alpha.shape == (110, 700)
    assert found.alpha[50, 100] == 255 and found.alpha[50, 400] == 0


@pytest.mark.parametrize("size", [(1, 1), (3, 40), (16, 9)])
def test_a_tiny_photo_is_refused_or_made(made, size):
    try:
        found = made().find_mask(Image.new("RGB", size, "white"))
    except CutoutRefused:
        return
    assert found.alpha.shape == size[::-1]


def test_the_outline_of_a_photo_needs_no_network(made):
    backend = made()
    for found in (backend.find_mask(bottle()), find_mask(bottle(), backend=backend)):
        assert (found.method, found.maker) == ("alpha", "alpha/1")
    assert backend.looks == []


def test_the_maker_names_the_file_and_is_the_same_before_and_after_it_is_opened(made):
    backend = made()
    before = backend.maker
    found = backend.find_mask(on_ground(bottle(), "white"))
    assert found.maker == backend.maker == before
    assert backend.network.checksum[:8] in before


def test_every_reason_has_a_sentence_and_another_one_stays_as_it_is():
    assert all(describe_reason(code).endswith(".") for code in REASONS)
    assert describe_reason("of another backend") == "of another backend"


def test_the_doubt_about_a_room_says_what_becomes_of_people():
    assert "People and hands that hold or wear the product are kept." in describe_reason("room")


def test_glass_is_cut_out_with_what_is_seen_through_it(made):
    """The ground's colour inside an outline is a label, or glass: only the very same colour is a gap."""
    photo = dark_shapes((120, 60, 280, 300))
    ImageDraw.Draw(photo).rectangle((150, 90, 250, 270), fill=(228, 234, 232))
    found = made().find_mask(photo)
    assert found.alpha[180, 200] == 255 and found.alpha[30, 30] == 0


def test_a_backend_is_built_once_for_the_same_options(tmp_path):
    options = onnx_files.save(tmp_path / "n.onnx", onnx_files.network(side=320))
    path = "nb_catalog.imaging.cutout.backends.NetworkCutout"
    entry = {"BACKEND": path, "OPTIONS": options}
    one = backends.backend_for(entry, path="HERE")
    assert backends.backend_for({"OPTIONS": dict(options), "BACKEND": path}, path="HERE") is one
    more = {"BACKEND": path, "OPTIONS": {**options, "threads": 1}}
    assert backends.backend_for(more, path="HERE") is not one


@pytest.mark.parametrize("plain", [ground("white", 64), ground("cream vignette", 64)])
def test_an_empty_ground_is_refused(made, plain):
    with pytest.raises(CutoutRefused):
        made().find_mask(Image.fromarray(plain.astype(np.uint8)))
