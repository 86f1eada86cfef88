"""Planning and starting experiments: sample, arms, price, what is used again."""

import pytest

from nb_catalog import generation
from nb_catalog.exceptions import PlanRefused, RequestRefused
from nb_catalog.models import Experiment, ExperimentPair, ImageJob, Run
from tests import factories
from tests.catalog.models import Mug
from tests.experiments.conftest import PROMPT, plan_of, scene, started, two_scenes

pytestmark = pytest.mark.django_db(transaction=True)


def test_two_scenes_are_planned_for_each_product_with_the_price(script):
    plan = plan_of([factories.product(), factories.product()])
    summary = plan.summary()
    assert summary.wanted == 4 and summary.price_usd == 4 * plan.price_each_usd > 0
    assert {item.spec.scene for item in plan.items()} == {"marble", "granite"}
    assert not Run.objects.exists() and not Experiment.objects.exists()


def test_an_edited_prompt_is_sent_and_not_saved(script):
    factories.scene("marble")
    plan = plan_of([factories.product()], scenes=["marble"], prompt=f"  {PROMPT}\n")
    first, second = plan.items()
    assert PROMPT.rstrip(".") in second.spec.prompt and PROMPT not in first.spec.prompt
    assert (first.spec.scene, first.spec.scene_version) == ("marble", 1)
    assert (second.spec.scene, second.spec.scene_version) == ("marble", 0)
    experiment = generation.start_experiment(plan, name="Oak")
    assert scene("marble").prompt != PROMPT and scene("marble").version == 1
    assert experiment.edits_prompt and experiment.arm_b["prompt"] == PROMPT
    assert experiment.arm_name("b") == "Marble, edited prompt"


def test_pictures_that_exist_are_not_paid_for_again(script):
    product = factories.product()
    plan = plan_of([product])
    [first, _second] = plan.items()
    factories.image(product, asked=first.spec)
    again = plan_of([product])
    assert again.summary().wanted == 1 and again.summary().count_of("present") == 1
    experiment = generation.start_experiment(again, name="")
    assert experiment.run.jobs.count() == 1 and experiment.pairs.count() == 1
    # A draft of another prompt is tried beside what there is, and makes nothing out of date.
    edited = plan_of([product], scenes=["marble"], prompt=PROMPT)
    assert edited.summary().count_of("stale") == 0 and edited.summary().wanted == 1


def test_a_name_that_was_left_out_gives_no_scene_away(script):
    experiment = generation.start_experiment(plan_of([factories.product()]), name=" ")
    assert experiment.name.startswith("Experiment of") and "arble" not in experiment.name


def test_the_same_seed_draws_the_same_products(script):
    products = [factories.product() for _ in range(12)]
    two_scenes()

    def drawn(seed, of=None):
        plan = plan_of(products if of is None else of, sample=4, seed=seed)
        return sorted({item.object_id for item in plan.items()})

    assert drawn(1) == drawn(1) == drawn(1, Mug.objects.all()) and len(drawn(1)) == 4
    assert len({tuple(drawn(seed)) for seed in range(8)}) > 4


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"scenes": ["marble"]}, "two scenes, or one scene with another prompt"),
        ({"scenes": ["marble", "granite", "third"]}, "two scenes, or one scene"),
        ({"scenes": ["marble", "marble"]}, "named twice"),
        ({"scenes": ["marbel", "granite"]}, "marble"),
        ({"prompt": "Oak."}, "Choose one scene"),
        (
            {"scenes": ["marble"], "prompt": "A quiet surface in soft light from the left. "},
            "is that of the scene",
        ),
        ({"scenes": ["marble"], "prompt": "Oak.", "tier": "sketch"}, "does not read prompts"),
        ({"sample": 0}, "1 to 100 products, not 0"),
        ({"sample": 101}, "1 to 100 products, not 101"),
        ({"ratio": "7:3"}, "7:3"),
        ({"tier": "none"}, "none"),
        ({"treatment": "glazed"}, "glazed"),
    ],
)
def test_what_is_not_possible_is_refused_before_anything_is_written(script, options, message):
    two_scenes()
    factories.scene("third")
    with pytest.raises(RequestRefused, match=message):
        plan_of([factories.product()], **options)


def test_prompts_that_a_model_would_get_alike_are_refused(script):
    factories.scene("long", prompt="Oak. " * 300)
    for prompt in ("Oak. " * 299, "Oak.\n\n" * 300):
        with pytest.raises(PlanRefused, match="is that of the scene"):
            plan_of([factories.product()], scenes=["long"], prompt=prompt)
    with pytest.raises(RequestRefused, match="no prompt for a model"):
        plan_of([factories.product()], scenes=["long"], prompt="\u200b")


def test_more_products_than_people_look_at_need_a_sample(script):
    Mug.objects.bulk_create(Mug(name=f"Mug {number}", packshot="a.png") for number in range(101))
    with pytest.raises(PlanRefused, match="at most 100 products, and these are 101"):
        plan_of(Mug.objects.all())
    assert plan_of(Mug.objects.all(), sample=5).product_keys()


def test_starting_a_plan_again_starts_nothing(script):
    plan = plan_of([factories.product()])
    first = generation.start_experiment(plan, name="A")
    assert generation.start_experiment(plan, name="B") == first
    assert Experiment.objects.count() == Run.objects.count() == 1
    assert ImageJob.objects.count() == 2 and ExperimentPair.objects.count() == 1
    with pytest.raises(TypeError):
        generation.start_experiment(
            generation.plan_backgrounds([factories.product()], scenes=["marble"], tier="sketch"),
            name="",
        )


def test_without_a_product_in_both_scenes_nothing_is_started(script):
    plan = plan_of([factories.product(photo=False)])
    with pytest.raises(RequestRefused, match="No product of the sample"):
        generation.start_experiment(plan, name="")
    assert not Run.objects.exists() and not Experiment.objects.exists()


def test_a_rejected_picture_is_made_once_more(script):
    made = started(1)
    [pair] = made.pairs
    image = made.images[pair.pk, "b"]
    type(image).objects.filter(pk=image.pk).update(state="rejected")
    made.row.run.jobs.update(state="succeeded", live_key=None)
    again = plan_of(made.products, scenes=["marble", "granite"])
    assert again.summary().wanted == 1
    experiment = generation.start_experiment(again, name="")
    [new] = experiment.pairs.all()
    assert new.fingerprint_a == pair.fingerprint_a and new.fingerprint_b != pair.fingerprint_b
