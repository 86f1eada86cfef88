"""``nb_calibrate``: thresholds for the pictures of a shop, from its own decisions."""

import ast

import numpy as np
import pytest
from django.core.management import CommandError, call_command

from nb_catalog import review
from nb_catalog.imaging.fidelity import Fidelity
from nb_catalog.models import ProductImage
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def decided():
    """decided(good, damaged): pictures of ten mugs with these hues, approved and rejected."""
    mugs = [factories.product(photo=False) for _ in range(10)]

    def decided(good, damaged, *, note="", treatment="painted", left_out=()):
        for number, (hue, keeps) in enumerate(
            [*((each, True) for each in good), *((each, False) for each in damaged)]
        ):
            mug = mugs[number % len(mugs)]
            found = Fidelity(
                score=None if left_out else 0.5, left_out=left_out, measures={"hue": float(hue)}
            )
            image = factories.image(
                mug,
                asked=factories.spec(mug, treatment=treatment),
                checks={"fidelity": found.as_dict()},
            )
            (review.approve if keeps else review.reject)(image, actor=None, note=note)

    return decided


def run(capsys, *options):
    call_command("nb_calibrate", *options)
    return capsys.readouterr().out


def setting_in(output):
    """The line that is to be pasted, as a person would."""
    return ast.literal_eval("{" + output[output.index('"FIDELITY"') :] + "}")["FIDELITY"]


def test_the_setting_to_paste_divides_the_shop_s_pictures(decided, capsys, settings):
    decided(np.linspace(5, 6, 30), np.linspace(9, 12, 30))
    output = run(capsys)
    pasted = setting_in(output)
    assert pasted["REQUIRE"] == "warn" and 6 < pasted["THRESHOLDS"]["hue"] < 9
    assert set(pasted["THRESHOLDS"]) == {"hue"}
    assert "Present thresholds: 0 of 30 approved kept, 30 of 30 rejected flagged" in output
    assert "not fitted to: 30 of 30 approved kept, 30 of 30 rejected flagged" in output
    settings.NB_CATALOG = {**settings.NB_CATALOG, "FIDELITY": pasted}
    assert "Present thresholds: 30 of 30 approved kept, 30 of 30" in run(capsys)


@pytest.mark.parametrize("counts", [(0, 0), (19, 40), (40, 19)])
def test_too_few_pictures_are_refused(decided, counts):
    good, damaged = counts
    decided(np.linspace(1, 2, good), np.linspace(9, 12, damaged))
    with pytest.raises(CommandError, match=f"{good} approved and {damaged} rejected"):
        call_command("nb_calibrate")


def test_too_few_products_are_refused(decided):
    decided([1] * 25, [9] * 25)
    mug = ProductImage.objects.order_by("pk").first()
    ProductImage.objects.update(object_id=mug.object_id)
    with pytest.raises(CommandError, match="of 1 products"):
        call_command("nb_calibrate")


def test_only_compared_painted_pictures_count(decided):
    decided([1] * 30, [9] * 30, treatment="locked")
    decided([1] * 30, [9] * 30, left_out=("no_cutout",))
    factories.image(factories.product(photo=False), checks={})
    with pytest.raises(CommandError, match="0 approved and 0 rejected"):
        call_command("nb_calibrate")


def test_rejections_may_be_chosen_by_their_note(decided, capsys):
    decided(np.linspace(5, 6, 30), np.linspace(9, 12, 30), note="Wrong COLOUR again")
    decided([], [0.1] * 25, note="boring")
    with pytest.raises(CommandError, match="30 approved and 0 rejected"):
        call_command("nb_calibrate", note="price")
    assert "30 of 30 rejected flagged" in run(capsys, "--note", "colour")
    assert "30 of 55 rejected flagged" in run(capsys)
