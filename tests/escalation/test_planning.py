"""What a final is made of, and which pictures cannot have one."""

from dataclasses import replace

import pytest
from django.core.files.base import ContentFile
from django.db import connection
from django.test.utils import CaptureQueriesContext

from nb_catalog import generation, review
from nb_catalog.core.specs import ImageSpec
from nb_catalog.core.states import ImageState, JobState
from nb_catalog.core.types import Photo
from nb_catalog.exceptions import PlanRefused, RequestRefused
from nb_catalog.models import ProductImage, Scene
from nb_catalog.models.images import ImageKind
from tests import factories
from tests.catalog.catalog_images import MugSource
from tests.escalation.conftest import TIERS, draft, make, paid

pytestmark = pytest.mark.django_db(transaction=True)


def item_of(image, **options):
    [item, *_others] = generation.plan_escalation([image], **options).items()
    return item


def problem_of(image, **options):
    return item_of(image, **options).problem


def test_a_final_has_its_drafts_spec_on_the_tier_of_the_plan(script):
    image = draft()
    plan = generation.plan_escalation([image], tier="best", candidates=2)
    first, second = (item.spec for item in plan.items())
    own = ImageSpec.of_image(image.spec)
    assert (first.candidate, second.candidate) == (1, 2)
    assert replace(second, candidate=1) == first
    assert first == replace(
        own, model="gemini-3-pro-image", size="2K", draft=image.sha256, candidate=1,
        draft_file=image.file.name, draft_request=own.request_hash, prompt=first.prompt,
    )  # fmt: skip
    assert first.prompt.startswith(own.prompt) and "second image is that draft" in first.prompt
    # The product's photo and the draft go along, and cost.
    assert plan.price_each_usd == plan.planner.tier.model_spec.estimate(size="2K", references=2)
    assert plan.summary().price_usd == 2 * plan.price_each_usd


def test_the_background_of_a_locked_draft_goes_along_without_the_product(script):
    image = draft(treatment="locked")
    spec = item_of(image).spec
    assert image.parent.kind == ImageKind.BACKDROP
    assert spec.draft_file == image.parent.file.name and spec.draft == image.sha256
    assert "given image is that draft of the empty surroundings" in spec.prompt


def test_what_the_renderer_drafted_is_painted_from_the_scenes_prompt(script):
    image = draft(tier="sketch", treatment="locked")
    spec = item_of(image, tier="draft").spec
    assert (spec.treatment, spec.renderer, spec.provider) == ("locked", {}, "paid")
    assert "A quiet surface in soft light" in spec.prompt and "without" not in spec.system
    assert "with the product already in it" in spec.prompt and spec.seed == image_seed(image)
    assert spec.draft_file == image.file.name


def image_seed(image):
    return ImageSpec.of_image(image.spec).seed


def test_a_relit_draft_is_locked_where_a_model_paints_and_painted_on_request(script):
    image = draft(tier="sketch", treatment="relit")
    assert item_of(image, tier="draft").spec.treatment == "locked"
    painted = item_of(image, tier="draft", treatment="painted").spec
    assert (painted.treatment, painted.pose, painted.cutout) == ("painted", "", "")
    assert "Using the product in the first image" in painted.prompt
    assert "second image is that draft" in painted.prompt


def test_a_larger_render_is_the_same_spec_at_another_size_and_free(script):
    image = draft(tier="sketch", treatment="locked")
    plan = generation.plan_escalation([image], tier="large", candidates=3)
    [item] = plan.items()
    own = ImageSpec.of_image(image.spec)
    assert item.spec == replace(
        own, size="2K", draft=image.sha256, draft_request=own.request_hash, candidate=1
    )
    assert plan.is_free and plan.summary().price_usd == 0


def test_the_final_of_a_final_is_told_of_its_own_draft_only(script):
    image = draft()
    [middle] = make(generation.plan_escalation([image], tier="standard", candidates=1)).images
    spec = item_of(middle, tier="premium").spec
    assert spec.draft == middle.sha256 and spec.prompt.count("is that draft") == 1
    assert spec.request_hash == image.request_hash


def test_text_that_a_model_painted_is_painted_again_without_its_letters(script):
    product = factories.product()
    below = paid(product)
    asked = factories.spec(
        product, provider="paid", model=TIERS["draft"]["MODEL"], treatment="painted", locale="en",
        photo=product.packshot.name, base=below.sha256, canvas=below.file.name, layout="banner",
        prompt="Add these texts.", renderer={"texts": {"headline": "Now"}},
    )  # fmt: skip
    spec = item_of(paid(product, asked=asked, locale="en")).spec
    assert spec.draft and not spec.draft_file and spec.canvas == below.file.name
    assert spec.prompt == "Add these texts." and spec.renderer == asked.renderer


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"state": ImageState.REJECTED}, "was rejected. Return it to review"),
        ({"state": ImageState.RETIRED}, "is retired. Approve it again"),
        ({"kind": ImageKind.BACKDROP}, "shows a background without the product"),
        ({"pruned_at": "2026-11-01T00:00Z"}, "was deleted. Generate another one"),
        ({"tier": "premium"}, "is of the tier “premium”, and “premium” is not a higher one"),
    ],
)
def test_pictures_that_cannot_have_a_final_are_named_with_the_reason(script, fields, problem):
    image = paid(**fields)
    item = item_of(image)
    assert item.status == "impossible" and item.spec is None
    assert problem in item.problem and str(image.pk) in item.problem
    with pytest.raises(RequestRefused, match=str(image.pk)):
        review.escalate(image, actor=None)
    assert script.count == 0


def test_a_lower_tier_is_refused_and_one_that_was_removed_counts_as_lower(script):
    assert "“draft” is not a higher one" in problem_of(paid(tier="standard"), tier="draft")
    gone = paid()
    gone.tier = "removed"
    gone.save(update_fields=["tier"])
    assert not problem_of(gone, tier="standard")


def test_a_higher_tier_with_the_same_model_and_size_is_refused(script, settings):
    tiers = {**TIERS, "premium": TIERS["draft"]}
    settings.NB_CATALOG = {**settings.NB_CATALOG, "TIERS": tiers}
    assert "has the model and the size that picture" in problem_of(paid())


def test_a_tier_whose_model_cannot_do_the_ratio_is_refused(script):
    asked = replace(ImageSpec.of_image(paid().spec), ratio="1:8")
    image = paid(asked=replace(asked, photo_version=""))
    product = image.catalog_object
    ProductImage.objects.filter(pk=image.pk).update(
        spec={**image.spec, "photo": product.packshot.name, "object_id": str(product.pk)}
    )
    assert "gemini-3-pro-image has no ratio '1:8'" in problem_of(image)


def test_the_picture_of_the_photo_and_typeset_text_are_refused(script):
    product = factories.product()
    photo = replace(factories.spec(product, treatment="photo", scene=""), prompt="")
    assert "is the product’s own photo" in problem_of(paid(product, asked=photo, tier=""))
    below = paid(product)
    text = replace(
        factories.spec(product, provider="typesetter", model="typesetter", base=below.sha256),
        prompt="",
    )
    image = paid(product, asked=text, tier="", parent=below)
    assert f"Make picture {below.pk}, which is below it, final" in problem_of(image)


def test_a_renderer_cannot_keep_what_a_model_painted(script, settings):
    tiers = {"draft": TIERS["draft"], "large": TIERS["large"]}
    settings.NB_CATALOG = {**settings.NB_CATALOG, "TIERS": tiers}
    assert "which a model painted" in problem_of(paid(treatment="locked"), tier="large")


def test_a_photo_that_was_replaced_since_is_refused(script):
    image = draft()
    product = image.catalog_object
    product.packshot.save("other.png", ContentFile(factories.photo_bytes(colour=(1, 2, 3))))
    assert "was replaced or removed since" in problem_of(image)


def test_a_photo_that_was_replaced_under_its_name_is_refused(script, monkeypatch):
    image = paid()
    photo = image.spec["photo"]
    monkeypatch.setattr(MugSource, "photos", lambda self, product: [Photo(name=photo, version="2")])
    assert "was replaced or removed since" in problem_of(image)


def test_a_picture_with_a_live_final_is_refused_until_that_is_decided(script):
    image = draft()
    made = make(generation.plan_escalation([image], candidates=1))
    assert f"has a final already: picture {made.images[0].pk} (to review)" in problem_of(image)
    assert "has a final already" in problem_of(image, tier="standard")
    review.reject(made.images[0], actor=None)
    spec = item_of(image, candidates=1).spec
    assert spec.candidate == 2


@pytest.mark.parametrize("state", [JobState.QUEUED, JobState.UNKNOWN, JobState.WAITING])
def test_a_final_that_is_being_made_or_may_have_been_is_not_requested_again(script, state):
    image = paid()
    spec = item_of(image, candidates=1).spec
    job = factories.job(image.catalog_object, asked=spec, state=state)
    assert f"is being made by run {job.run_id}" in problem_of(image)
    job.state, job.live_key = JobState.FAILED, None
    job.save()
    assert item_of(image, candidates=1).spec == spec


def test_a_deleted_scene_has_no_prompt_and_a_changed_one_is_mentioned(script):
    image = draft(tier="sketch", treatment="locked")
    Scene.objects.update(prompt="Something else.", version=2)
    plan = generation.plan_escalation([image], tier="draft")
    assert "The model gets its prompt of today" in next(iter(plan.summary().warnings))
    Scene.objects.all().delete()
    assert "scene of picture" in problem_of(image, tier="draft")
    # A larger render has all that it needs in its spec.
    assert not problem_of(image, tier="large")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"candidates": 0}, "between 1 and 4, not 0"),
        ({"candidates": 5}, "between 1 and 4, not 5"),
        ({"tier": "premum"}, "There is no tier 'premum'. Did you mean 'premium'"),
        ({"treatment": "photo"}, "locked, relit or painted"),
        ({"treatment": "neon"}, "There is no treatment 'neon'"),
    ],
)
def test_a_wrong_request_is_refused_as_a_whole(script, options, message):
    with pytest.raises(RequestRefused, match=message):
        generation.plan_escalation([paid()], **options)


def test_no_pictures_and_pictures_of_two_models_are_refused(script):
    with pytest.raises(PlanRefused, match="No pictures were given"):
        generation.plan_escalation([])
    with pytest.raises(PlanRefused, match="of several"):
        generation.plan_escalation([paid(), factories.image(factories.poster())])


def test_planning_many_takes_a_constant_number_of_queries(script):
    images = [paid() for _ in range(6)]
    counts = []
    for number in (2, 6):
        with CaptureQueriesContext(connection) as queries:
            items = list(generation.plan_escalation(images[:number]).items())
        assert [item.problem for item in items] == [""] * number * 2
        counts.append(len(queries))
    assert counts[0] == counts[1] <= 12


def test_an_edited_picture_is_made_again_from_the_draft_that_shows_the_edit(script):
    image = paid()
    edit = {"parent": "ab" * 32, "file": "a.png", "instruction": "Warmer light."}
    ProductImage.objects.filter(pk=image.pk).update(spec={**image.spec, "edit": edit})
    image.refresh_from_db()
    spec = item_of(image).spec
    assert spec.edit == {} and spec.draft == image.sha256
    assert "where it differs in what it shows" in spec.prompt


def test_a_renderer_cannot_repeat_an_edit(script):
    product = factories.product()
    asked = factories.spec(
        product, photo=product.packshot.name, prompt="", renderer={"surface": {"kind": "paper"}},
        edit={"parent": "ab" * 32, "file": "a.png", "adjustments": [{"kind": "crop"}]},
    )  # fmt: skip
    below = paid(product, tier="sketch")
    image = paid(product, tier="sketch", asked=asked, parent=below)
    assert f"Make picture {below.pk}, from which it was made" in problem_of(image, tier="large")
