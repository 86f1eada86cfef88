"""The history of a picture: family, photos, recipe, decisions, publications."""

from datetime import timedelta

import pytest
from django.core.files.base import ContentFile
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from nb_catalog import review
from nb_catalog.core.types import Permission
from nb_catalog.models import ProductImage, ProviderCall
from nb_catalog.publishing import placements
from nb_catalog.registry import source_for
from nb_catalog.review.family import family_of
from nb_catalog.review.photo_origins import photo_origins
from tests import factories

pytestmark = pytest.mark.django_db


def edit(parent, **changes):
    """The row of an edit of ``parent``."""
    asked = factories.spec(
        parent.catalog_object,
        edit={"parent": parent.sha256, "file": parent.file.name, **changes},
    )
    return row(parent, parent=parent, asked=asked)


def row(like, **fields):
    """A picture of the product of ``like``."""
    return factories.image(like.catalog_object, size=(8, 10), **fields)


def shape(image, **options):
    """The family as (picture, depth, role)."""
    family = family_of(image, **options)
    return [(each.image.pk, each.depth, each.role.value) for each in family.relatives]


@pytest.fixture
def family():
    """backdrop > draft > (crop > text, edit in words, backdrop of the final > final), and another picture."""
    mug = factories.product()
    backdrop = factories.image(mug, kind="backdrop")
    draft = row(backdrop, parent=backdrop)
    crop = edit(draft, adjustments=[{"kind": "crop", "ratio": "1:1"}])
    text = row(
        crop,
        parent=crop,
        locale="de",
        asked=factories.spec(
            mug, prompt="", base=crop.sha256, layout="banner", locale="de",
            renderer={"texts": {"headline": "Neu"}},
        ),
    )  # fmt: skip
    words = edit(draft, instruction="Warmer light")
    behind = factories.image(mug, kind="backdrop")
    final = row(behind, parent=behind, draft=draft, state="rejected")
    factories.image(mug)
    return {
        "backdrop": backdrop, "draft": draft, "crop": crop, "text": text, "words": words,
        "behind": behind, "final": final,
    }  # fmt: skip


def test_a_family_is_a_tree_from_the_background_to_text_and_finals(family):
    keys = {name: image.pk for name, image in family.items()}
    expected = [
        (keys["backdrop"], 0, "backdrop"),
        (keys["draft"], 1, "draft"),
        (keys["crop"], 2, "adjusted"),
        (keys["text"], 3, "text"),
        (keys["words"], 2, "edited"),
        (keys["behind"], 2, "backdrop"),
        (keys["final"], 3, "final"),
    ]
    # Rejected ones and backgrounds included, from wherever it is looked at.
    for image in family.values():
        assert shape(image) == expected
    steps = {each.image.pk: each.step for each in family_of(family["draft"]).relatives}
    assert steps[keys["crop"]] == "cropped to 1:1"
    assert steps[keys["words"]] == "“Warmer light”"
    assert steps[keys["text"]] == "de: Neu"
    hidden = family_of(family["draft"], may_read_prompts=False).relatives
    assert not any("Warmer" in each.step for each in hidden)


def test_a_final_whose_parent_is_a_picture_hangs_below_its_draft(family):
    painted = row(family["draft"], parent=family["crop"], draft=family["draft"])
    above = {each.image.pk: each.above for each in family_of(painted).relatives}
    assert above[painted.pk] == family["draft"].pk


def test_queries_do_not_depend_on_the_size_of_a_family():
    user = factories.superuser()
    small = factories.image(factories.product())
    chain = [factories.image(factories.product())]
    for _ in range(30):
        chain.append(edit(chain[-1], adjustments=[{"kind": "crop", "ratio": "1:1"}]))
    for _ in range(30):
        row(chain[3], parent=chain[3])
    counts = []
    for image in (edit(small, adjustments=[]), chain[-1], chain[0]):
        image = ProductImage.objects.get(pk=image.pk)
        with CaptureQueriesContext(connection) as queries:
            history = review.history_of(image, user=user)
        counts.append(len(queries))
    assert len(history.family.relatives) == 61
    assert counts[0] == counts[1] and counts[2] <= counts[1] <= 20
    deepest = next(each for each in history.family.relatives if each.image == chain[-1])
    assert deepest.depth == 30


def test_of_a_very_large_family_the_way_to_the_picture_is_listed():
    first = factories.image(factories.product())
    for _ in range(6):
        row(first, parent=first)
    last = row(first, parent=first)
    family = family_of(last, most=3)
    assert [each.image.pk for each in family.relatives][0] == first.pk
    assert family.relatives[-1].image == last and len(family.relatives) == 4
    assert family.left_out == 4


def made_from_photo(mug, **changes):
    photo = source_for(mug).photos(mug)[0]
    asked = factories.spec(mug, **{"photo": photo.name, "photo_version": photo.version, **changes})
    return factories.image(mug, asked=asked)


def test_photo_and_cut_out_are_the_root_and_say_what_became_of_them():
    mug = factories.product(name="Stoneware")
    cutout = factories.cutout(mug, state="accepted")
    image = made_from_photo(mug)
    [origin] = photo_origins(image)
    assert (origin.state, origin.cutout, origin.title) == ("current", cutout, "Stoneware")
    assert not origin.mask_changed
    # A person corrects the mask: that is not the one that the picture was made with.
    type(cutout).objects.filter(pk=cutout.pk).update(method="person")
    assert photo_origins(image)[0].mask_changed
    other = made_from_photo(mug, photo_version="another version of the file")
    assert photo_origins(other)[0].state == "replaced"
    mug.packshot.save("another.png", ContentFile(factories.photo_bytes()), save=True)
    [origin] = photo_origins(ProductImage.objects.get(pk=image.pk))
    assert (origin.state, origin.photo, origin.cutout) == ("gone", None, cutout)
    mug.delete()
    [origin] = photo_origins(ProductImage.objects.get(pk=image.pk))
    assert origin.state == "product_gone" and origin.name


def test_the_parts_of_a_bundle_are_its_photos():
    mugs = [factories.product(name=name) for name in ("Mug", "Jug")]
    parts = [
        {"object_type": "testcatalog.mug", "object_id": str(mug.pk), "photo": mug.packshot.name}
        for mug in mugs
    ]
    image = factories.image(mugs[0], asked=factories.spec(mugs[0], parts=parts))
    assert [each.title for each in photo_origins(image)] == ["Mug", "Jug"]


def call(job, *, epoch=1, cost=None, **fields):
    now = timezone.now()
    return ProviderCall.objects.create(
        **{
            "job": job, "run": job.run, "epoch": epoch, "provider": "gemini", "model": "m",
            "outcome": "picture", "started_at": now, "finished_at": now + timedelta(seconds=9),
            "estimate_microusd": 33_600, "cost_microusd": cost, **fields,
        }
    )  # fmt: skip


def test_the_cost_is_reported_open_free_or_unknown():
    mug, user = factories.product(), factories.superuser()
    asked = factories.spec(mug, provider="gemini", model="m", renderer={})
    job = factories.job(mug, state="succeeded", asked=asked)
    image = factories.image(mug, job=job, asked=asked)

    def cost(reader=user):
        return review.history_of(ProductImage.objects.get(pk=image.pk), user=reader).recipe.cost

    call(job, cost=None, epoch=1, outcome="not_sent")
    call(job, cost=20_000, epoch=2)
    assert (cost().kind, str(cost().reported_usd)) == ("reported", "0.02")
    call(job, cost=None, epoch=3)
    assert (cost().kind, str(cost().open_usd)) == ("open", "0.0336")
    assert str(cost().reported_usd) == "0.02"
    # Whoever may not view jobs is not told what they cost.
    viewer = factories.staff("nb_catalog.view_productimage", views=False)
    assert cost(viewer) is None
    assert review.history_of(image, user=viewer).recipe.calls == ()
    job.delete()
    assert cost().kind == "unknown"
    rendered = factories.image(mug)
    assert review.history_of(rendered, user=user).recipe.cost.kind == "free"


def test_the_recipe_names_prompt_references_and_seed():
    mug, user = factories.product(), factories.superuser()
    cutout = factories.cutout(mug, state="accepted")
    anchor = factories.image(factories.product())
    draft = factories.image(mug)
    photo = source_for(mug).photos(mug)[0]
    asked = factories.spec(
        mug, provider="gemini", model="m", prompt="Marble.", system="Be kind.", photo=photo.name,
        photo_version=photo.version, anchor=anchor.sha256, anchor_file=anchor.file.name,
        draft=draft.sha256, draft_file=draft.file.name,
    )  # fmt: skip
    image = factories.image(mug, asked=asked)
    recipe = review.history_of(image, user=user).recipe
    assert (recipe.prompt, recipe.system, recipe.seed) == ("Marble.", "Be kind.", None)
    assert [(each.role, each.image, each.sha256) for each in recipe.references] == [
        ("photo", None, cutout.photo_sha256),
        ("anchor", anchor.pk, anchor.sha256),
        ("draft", draft.pk, draft.sha256),
    ]
    # A model gets another file than the shop has: its digest is the one that counts.
    image.spec["photo_sent"] = {"sha256": "f" * 64, "changes": ["downscaled"]}
    first = review.history_of(image, user=user).recipe.references[0]
    assert (first.sha256, first.changes) == ("f" * 64, ("downscaled",))
    rendered = factories.image(mug, asked=factories.spec(mug, prompt="", renderer={"wall": {}}))
    spec = review.history_of(rendered, user=user).recipe
    assert spec.seed == spec.spec.seed
    viewer = factories.staff()
    assert review.history_of(image, user=viewer).recipe.prompt == ""
    assert review.history_of(image, user=viewer).similar is None
    reader = factories.staff(Permission.GENERATE)
    assert review.history_of(image, user=reader).recipe.prompt == "Marble."


def test_decisions_and_publications_have_persons_and_times():
    user = factories.superuser("ada")
    mug = factories.product()
    image = factories.image(mug)
    review.approve(image, actor=user, note="Good light.")
    placements.publish(image, slot="hero", actor=user)
    placements.publish(image, slot="gallery", position=2, actor=user)
    other = factories.image(mug, state="approved")
    placements.publish(other, slot="hero", actor=None)
    history = review.history_of(image, user=user)
    [decision] = history.decisions
    assert (decision.move, decision.note, decision.actor) == ("approve", "Good light.", user)
    now, before = history.publications
    assert (now.slot, now.position, now.until, now.started.actor) == ("gallery", 2, None, user)
    assert (before.slot, before.started.actor, before.ended.actor) == ("hero", user, None)
    assert before.since < before.until and before.ended.image_after == other
    placements.roll_back(mug, slot="hero", actor=user)
    again = review.history_of(image, user=user).publications
    assert [(each.slot, each.until is None) for each in again] == [
        ("gallery", True), ("hero", True), ("hero", False),
    ]  # fmt: skip
    assert not review.history_of(factories.image(mug), user=user).publications
