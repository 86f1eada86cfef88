"""Pictures whose product differs from its photo: published with a reason, or not at all."""

import pytest

from nb_catalog import review, signals
from nb_catalog.core.states import ImageState
from nb_catalog.exceptions import FidelityRefused, InvalidSettings, RequestRefused
from nb_catalog.imaging.fidelity import Fidelity
from nb_catalog.models import Placement, PlacementEvent
from nb_catalog.publishing import placements
from tests import factories

pytestmark = pytest.mark.django_db

DIFFERS = {"fidelity": Fidelity(score=0.2, reasons=("detail", "colour")).as_dict()}
KEPT = {"fidelity": Fidelity(score=0.9).as_dict()}
NOT_JUDGED = {"fidelity": Fidelity(score=None, left_out=("no_cutout",)).as_dict()}


@pytest.fixture(autouse=True)
def require(settings):
    """require("warn"): what the site's settings ask for; "block" at first."""

    def require(value):
        settings.NB_CATALOG = {
            **settings.NB_CATALOG,
            "RENDITION_WIDTHS": [32],
            "RENDITION_FORMATS": ["jpeg"],
            "FIDELITY": {"REQUIRE": value},
        }

    require("block")
    return require


@pytest.fixture
def mug():
    return factories.product()


@pytest.fixture
def editor():
    return factories.staff("nb_catalog.view_productimage", "nb_catalog.publish")


@pytest.fixture
def chief():
    return factories.staff(
        "nb_catalog.view_productimage", "nb_catalog.publish", "nb_catalog.override_fidelity"
    )


def approved(mug, checks, **fields):
    return factories.image(mug, state=ImageState.APPROVED, checks=checks, **fields)


def publish(image, **options):
    return placements.publish(image, **{"slot": "hero", "actor": None, **options})


@pytest.mark.parametrize("checks", [KEPT, NOT_JUDGED, {}])
def test_a_picture_that_kept_its_product_needs_no_reason(mug, editor, checks):
    assert publish(approved(mug, checks), actor=editor).pk
    assert PlacementEvent.objects.get().note == ""


@pytest.mark.parametrize("require_value", ["none", "warn"])
def test_only_block_keeps_a_picture_from_being_published(mug, require, require_value):
    require(require_value)
    assert publish(approved(mug, DIFFERS)).pk


def test_nobody_publishes_it_without_the_permission(mug, editor):
    image = approved(mug, DIFFERS)
    for actor in (None, editor):
        with pytest.raises(FidelityRefused, match="only with the permission") as refusal:
            publish(image, actor=actor, reason="It looks fine.")
        assert "Print or fine detail differs from the photo." in refusal.value.objections
    assert not Placement.objects.exists() and not PlacementEvent.objects.exists()


@pytest.mark.parametrize("reason", ["", "  \n"])
def test_nobody_publishes_it_without_a_reason(mug, chief, reason):
    with pytest.raises(FidelityRefused, match="Give the reason"):
        publish(approved(mug, DIFFERS), actor=chief, reason=reason)
    assert not Placement.objects.exists()


def test_the_reason_is_part_of_the_history(mug, chief, django_capture_on_commit_callbacks):
    heard = []
    receiver = lambda **sent: heard.append(sent["image_id"])  # noqa: E731
    signals.image_published.connect(receiver)
    image = approved(mug, DIFFERS)
    with django_capture_on_commit_callbacks(execute=True):
        publish(image, actor=chief, reason=" The client likes it. ")
    signals.image_published.disconnect(receiver)
    event = PlacementEvent.objects.get()
    assert (event.note, event.actor, event.move) == ("The client likes it.", chief, "publish")
    assert heard == [image.pk]


def test_a_recorded_reason_holds_for_the_same_picture(mug, chief, editor):
    image, other = approved(mug, DIFFERS), approved(mug, KEPT)
    publish(image, actor=chief, reason="Agreed with the supplier.")
    publish(other, actor=editor)
    assert placements.roll_back(mug, slot="hero", actor=editor).image_id == image.pk
    assert publish(image, slot="gallery", actor=editor).image_id == image.pk


def test_a_roll_back_passes_the_same_border(mug, editor, require):
    require("warn")
    publish(approved(mug, DIFFERS))
    publish(approved(mug, KEPT))
    require("block")
    with pytest.raises(FidelityRefused):
        placements.roll_back(mug, slot="hero", actor=editor)
    assert Placement.objects.get().image.checks == KEPT


def test_several_pictures_are_not_approved_with_others(mug, require):
    image = factories.image(mug, checks=DIFFERS)
    for value in ("warn", "block"):
        require(value)
        result = review.approve_all([image], actor=None)
        assert result.approved == () and "differs from its photo" in result.refused[0]
    require("none")
    assert review.approve_all([image], actor=None).approved == (image.pk,)


def test_a_person_may_approve_it_alone(mug):
    image = factories.image(mug, checks=DIFFERS)
    with pytest.raises(RequestRefused):
        review.require_individual_review(image)
    review.approve(image, actor=None)
    assert image.state == ImageState.APPROVED


@pytest.mark.parametrize(
    "value",
    [
        {"REQUIRE": "never"},
        {"REQUIRED": "warn"},
        {"THRESHOLDS": {"hues": 3}},
        {"THRESHOLDS": {"hue": 0}},
        {"THRESHOLDS": {"hue": "3"}},
    ],
)
def test_a_wrong_setting_is_an_error(settings, value):
    from nb_catalog.conf import settings as ours

    settings.NB_CATALOG = {**settings.NB_CATALOG, "FIDELITY": value}
    with pytest.raises(InvalidSettings, match="FIDELITY.*REQUIRE, one of"):
        assert ours.FIDELITY


def test_a_threshold_replaces_one_of_the_shipped(settings):
    from nb_catalog.conf import settings as ours
    from nb_catalog.conf.accept import FIDELITY_THRESHOLDS

    settings.NB_CATALOG = {**settings.NB_CATALOG, "FIDELITY": {"THRESHOLDS": {"hue": 7}}}
    assert ours.FIDELITY == {"REQUIRE": "warn", "THRESHOLDS": {**FIDELITY_THRESHOLDS, "hue": 7}}


def test_the_api_takes_the_reason_and_refuses_without(client, mug, editor, chief):
    image = approved(mug, DIFFERS)
    path = f"/api/catalog-images/images/{image.pk}/publish/"
    for actor, body in ((editor, {"reason": "Fine."}), (chief, {})):
        client.force_login(actor)
        response = client.post(path, {"slot": "hero", **body}, content_type="application/json")
        assert response.status_code == 409
        problem = response.json()
        assert problem["code"] == "fidelity_refused"
        assert "Print or fine detail differs from the photo." in problem["objections"]
    body = {"slot": "hero", "reason": "Agreed."}
    assert client.post(path, body, content_type="application/json").status_code == 201
    assert PlacementEvent.objects.get().note == "Agreed."


def test_other_text_on_an_overridden_picture_needs_no_reason_again(mug, chief, editor):
    base = approved(mug, DIFFERS)
    texts = [
        approved(mug, DIFFERS, parent=base, asked=factories.spec(mug, base=base.sha256))
        for _ in range(2)
    ]
    with pytest.raises(FidelityRefused):
        publish(texts[0], actor=editor)
    publish(texts[0], actor=chief, reason="Agreed.")
    assert publish(texts[1], actor=editor).image == texts[1]
    with pytest.raises(FidelityRefused):
        publish(approved(mug, DIFFERS), actor=editor)
