"""A plan sets its texts before it starts: problems by language, legible sizes, one size in a series."""

import json

import pytest

import nb_catalog
from nb_catalog import generation, publishing, review, worker
from nb_catalog.core.types import Size
from nb_catalog.exceptions import RegistryError, RequestRefused
from nb_catalog.generation import runs, text_checks
from nb_catalog.models import TextLayout
from nb_catalog.review import verification
from nb_catalog.typesetting import fonts
from nb_catalog.typesetting.arrangement import arrange
from nb_catalog.typesetting.layouts import Layout
from tests import factories
from tests.catalog.catalog_images import MugSource

pytestmark = pytest.mark.django_db(transaction=True)

SIZE = (600, 750)
PRODUCT = (200, 300, 200, 350)
LONG = "Donaudampfschifffahrtsgesellschaft"


@pytest.fixture(autouse=True)
def said(monkeypatch):
    """Texts by locale and role; a headline with {name} is the product's own."""
    words = {"en": {"headline": "Sale"}, "de": {"headline": "Angebot"}}

    def copy(self, product, locale):
        return {role: text.replace("{name}", product.name) for role, text in words[locale].items()}

    monkeypatch.setattr(MugSource, "copy", copy)
    return words


def pictured(*names, product=PRODUCT, size=SIZE):
    mugs = [factories.product(photo=False, name=name) for name in names or ("Cup",)]
    for mug in mugs:
        factories.image(mug, state="approved", size=size, checks={"product": list(product)})
    return mugs


def headline(top=0.02, height=0.1, **changes):
    return {
        "role": "headline",
        "place": {"start": 0.05, "top": top, "width": 0.9, "height": height},
        "scrim": {},
    } | changes


def design(*boxes, key="banner", **content):
    return TextLayout.objects.create(
        key=key, name=key, content={"boxes": list(boxes or [headline()]), **content}
    )


def plan(mugs, locales=("en",), layouts=("banner",), **options):
    return generation.plan_texts(mugs, layouts=layouts, locales=locales, **options)


def problems(*args, **options):
    return list(plan(*args, **options).summary().problems)


def wanted(*args, **options):
    return [item.spec for item in plan(*args, **options).wanted()]


def sizes_made(specs_plan):
    """role -> the sizes in pixels in the reports of the pictures that the plan's run makes."""
    run = runs.start_run(specs_plan)
    worker.drain()
    assert {(job.state, job.error) for job in run.jobs.all()} == {("succeeded", "")}
    made = {}
    for job in run.jobs.all():
        image = job.images.get()
        for text in image.checks["text"]["texts"]:
            made.setdefault(text["role"], []).append(text["size"])
    return made


# What covers the product


def panel(top, height, **changes):
    place = {"start": 0, "top": top, "width": 1, "height": height}
    return {"place": place, "colour": "#5b1a4a"} | changes


def test_a_panel_over_the_product_is_a_problem_of_the_plan():
    design(panels=[panel(0, 0.13), panel(0.5, 0.3)])
    [problem] = problems(pictured())
    assert problem.startswith("panels[1] (en), it would cover 64% of the product")
    assert "Move or shrink it" in problem


def test_a_panel_over_the_product_is_found_in_a_plan_of_any_length(monkeypatch):
    monkeypatch.setattr(text_checks, "MAX_SET", 0)
    design(panels=[panel(0.5, 0.3)])
    [problem] = problems(pictured())
    assert problem.startswith("panels[0] (en), it would cover 64% of the product")


@pytest.mark.parametrize(
    "harmless",
    [
        panel(0.5, 0.3, covers_product=True),
        panel(0.5, 0.3, opacity=0),
        panel(0, 0.405),  # 4 of 350 pixels: within the tolerance
    ],
)
def test_a_panel_that_may_cover_the_product_or_hardly_does_is_none(harmless):
    design(panels=[harmless])
    assert not problems(pictured())


@pytest.mark.parametrize(
    ("style", "part"),
    [
        ({"plate": {"colour": "#202020", "padding": 1}}, "plate"),
        ({"plate": {"colour": "#202020", "padding": 0, "hugs": False}}, "plate"),
        ({"shadow": {"down": 1, "opacity": 1}}, "shadow"),
        ({"stroke": {"colour": "#202020", "width": 0.3}}, "stroke"),
        ({"scrim": {"colour": "#202020"}}, "scrim"),
    ],
)
def test_whatever_is_painted_for_a_text_keeps_clear_of_the_product(said, style, part):
    said["en"]["headline"] = "nnn"
    box = headline(height=0.5, smallest=0.1, largest=0.1) | style
    if part != "scrim":
        del box["scrim"]
    row = design(box)
    [text] = arrange(
        row.layout, said["en"], picture=Size(*SIZE), locale="en", chain=fonts.chain_for("en")
    )
    below = (text.ink.left, text.ink.bottom + 2, text.ink.width, 200)
    [problem] = problems(pictured(product=below))
    assert problem.startswith(f'headline (en), "nnn": its {part} would cover the product')
    box["covers_product"] = True
    row.content = {"boxes": [box]}
    row.save()
    assert not problems(pictured(product=below))


# What does not fit


def test_texts_that_do_not_fit_are_problems_of_their_language_alone(said):
    design(headline(smallest=0.06, hyphenate=False))
    said["de"]["headline"] = LONG
    mugs = pictured()
    shown = plan(mugs, ("en", "de"))
    by_status = {item.status.value: item for item in shown.items()}
    assert by_status["missing"].spec.locale == "en"
    problem = by_status["impossible"].problem
    assert problem.startswith("headline (de)") and "Shorten the text" in problem
    assert sizes_made(shown)["headline"], "the other language is made all the same"


def test_what_the_plan_finds_is_what_the_job_would_have_found(said, monkeypatch):
    design(headline(smallest=0.06, hyphenate=False))
    said["de"]["headline"] = LONG
    mugs = pictured()
    [problem] = problems(mugs, ["de"])
    monkeypatch.setattr(text_checks, "MAX_SET", 0)
    run = runs.start_run(plan(mugs, ["de"]))
    worker.drain()
    assert run.jobs.get().error == problem


def test_of_a_big_plan_the_longest_texts_are_set_in_every_language(said, monkeypatch):
    monkeypatch.setattr(text_checks, "FULLY_SET", 2)
    design(headline(smallest=0.06, hyphenate=False))
    said["de"]["headline"] = said["en"]["headline"] = "{name}"
    mugs = pictured("Cup", "Mug", "Jar", "Can", LONG, "Urn")
    text_checks.laid_out_ems.cache_clear()
    assert [each[:13] for each in sorted(problems(mugs, ("en", "de")))] == [
        "headline (de)",
        "headline (en)",
    ]
    assert text_checks.laid_out_ems.cache_info().currsize <= 4, "the others were not set"


def test_a_product_that_reaches_into_a_box_is_set_in_a_plan_of_any_length(monkeypatch):
    monkeypatch.setattr(text_checks, "FULLY_SET", 1)
    design(headline(top=0.02, height=0.2, stands="middle"))
    mugs = pictured("Cup", "Mug") + pictured("Jar", product=(0, 0, 600, 700))
    [problem] = problems(mugs)
    assert "would cover the product" in problem


def test_a_plan_sets_no_more_pictures_than_its_limit(monkeypatch):
    monkeypatch.setattr(text_checks, "MAX_SET", 3)
    design(headline(), same_size=False)
    text_checks.laid_out_ems.cache_clear()
    assert len(wanted(pictured(*"abcdef"), ("en", "de"))) == 12
    info = text_checks.laid_out_ems.cache_info()
    assert info.hits + info.misses == 3


def test_a_plan_selects_the_same_pictures_each_time(said, monkeypatch):
    monkeypatch.setattr(text_checks, "MAX_SET", 2)
    design(headline(smallest=0.06, hyphenate=False))
    said["en"]["headline"] = "{name}"
    shown = plan(pictured("Cup", LONG, LONG + "en"))
    first, second = ([item.status for item in shown.items()] for _ in range(2))
    assert sorted(first) == sorted(second) and first.count("impossible") == 1


def test_text_beside_the_picture_must_fit_its_slot_with_the_whole_sheet(monkeypatch):
    monkeypatch.setattr(MugSource, "slots", {"hero": "4:5"})
    right = {"start": 0.5, "top": 0, "width": 0.5, "height": 1}
    box = headline(top=0.1, height=0.4)
    box["place"]["width"] = 0.4
    design(box, picture=right, paper="#101010")
    [problem] = problems(pictured(), slot="")
    assert "takes pictures of 4:5; this one has 1200 x 750" in problem


# Legible sizes


def test_a_text_that_is_too_small_on_a_phone_is_a_problem_of_the_plan():
    design(headline(largest=0.03))
    [problem] = problems(pictured())
    assert problem.startswith("headline (en): shown 360 px wide in the slot 'hero'")
    assert "would be 10.8 px large; at least 11 px are legible" in problem


@pytest.mark.parametrize(
    "slot",
    [
        nb_catalog.Slot("hero", min_text=10.5),
        nb_catalog.Slot("hero", min_text=0),
        nb_catalog.Slot("hero", shown_width=400),
    ],
)
def test_a_slot_says_what_is_legible_in_it(monkeypatch, slot):
    design(headline(largest=0.03))
    monkeypatch.setattr(MugSource, "slots", [slot])
    assert not problems(pictured())


def test_a_text_that_one_of_the_slots_shows_large_enough_is_planned(monkeypatch):
    design(headline(largest=0.03))
    slots = [nb_catalog.Slot("hero"), nb_catalog.Slot("poster", shown_width=800)]
    monkeypatch.setattr(MugSource, "slots", slots)
    assert not problems(pictured())


def test_publishing_refuses_a_text_that_is_too_small_in_the_slot(monkeypatch):
    design(headline(largest=0.03))
    slots = [nb_catalog.Slot("hero"), nb_catalog.Slot("poster", shown_width=800)]
    monkeypatch.setattr(MugSource, "slots", slots)
    run = runs.start_run(plan(pictured()))
    worker.drain()
    image = run.jobs.get().images.get()
    review.approve(image, actor=None)
    with pytest.raises(RequestRefused, match=r"headline \(en\): .* 'hero'.*10.8 px"):
        publishing.publish(image, slot="hero", locale="en", actor=None)
    publishing.publish(image, slot="poster", locale="en", actor=None)


@pytest.mark.parametrize("wrong", [{"min_text": -1}, {"min_text": 360}, {"shown_width": 0}])
def test_a_wrong_legible_size_says_what_is_expected(wrong):
    with pytest.raises(RegistryError, match="CSS pixels"):
        nb_catalog.Slot("hero", **wrong)


# Equal sizes


def siblings(**changes):
    boxes = []
    for index, role in enumerate(("fact_1", "fact_2", "fact_3")):
        place = {"start": 0.02 + index * 0.33, "top": 0.02, "width": 0.3, "height": 0.3}
        boxes.append({"role": role, "place": place, "group": "facts", "scrim": {}} | changes)
    return boxes


FACTS = {"fact_1": "Oak", "fact_2": "Handmade in a small workshop", "fact_3": "30 cm"}


def test_boxes_of_a_group_have_the_size_of_the_smallest(said):
    said["en"] = FACTS
    design(*siblings())
    design(*siblings(group=""), key="free")
    mugs = pictured()
    free = {role: each[0] for role, each in sizes_made(plan(mugs, layouts=["free"])).items()}
    assert len(set(free.values())) > 1
    grouped = {role: each[0] for role, each in sizes_made(plan(mugs)).items()}
    assert set(grouped.values()) == {min(free.values())}


def test_a_group_whose_boxes_have_no_size_in_common_is_a_problem(said):
    said["en"] = FACTS
    boxes = siblings()
    boxes[0]["smallest"] = 0.09
    design(*boxes)
    [problem] = problems(pictured())
    assert problem.startswith("fact_1 (en), \"Oak\": the text 'fact_2' of its group 'facts' fits")


SERIES = ("Cup", "Stoneware mug", "Blue teapot for autumn", "Jar")


def test_each_role_has_one_size_on_all_pictures_of_a_series(said):
    said["en"]["headline"] = said["de"]["headline"] = "{name}"
    design(headline(lines=1, height=0.2), key="free")
    design(headline(lines=1, height=0.2), same_size=True)
    mugs = pictured(*SERIES)
    free = sizes_made(plan(mugs, layouts=["free"]))["headline"]
    assert len(set(free)) > 1
    specs_plan = plan(mugs, ("en", "de"))
    made = sizes_made(specs_plan)["headline"]
    assert made == [min(free)] * 8


def test_pictures_of_different_sizes_have_the_same_share(said):
    said["en"]["headline"] = "{name}"
    design(headline(lines=1, height=0.2), same_size=True)
    mugs = pictured("Cup") + pictured("Blue teapot for autumn", size=(1200, 1500))
    one, two = sorted(sizes_made(plan(mugs))["headline"])
    assert abs(two - 2 * one) <= 1


def test_the_size_of_a_series_is_part_of_the_fingerprint(said):
    said["en"]["headline"] = "{name}"
    design(headline(lines=1, height=0.2), same_size=True)
    mugs = pictured(*SERIES)
    [alone] = wanted(mugs[:1])
    together = next(spec for spec in wanted(mugs) if spec.object_id == alone.object_id)
    assert alone.renderer["sizes"]["headline"] > together.renderer["sizes"]["headline"]
    assert alone.fingerprint != together.fingerprint
    assert json.loads(json.dumps(together.renderer)) == together.renderer


def test_an_outlier_is_reported_and_does_not_shrink_the_others(said):
    said["en"]["headline"] = "{name}"
    design(headline(lines=1, height=0.2), same_size=True)
    short, outlier = pictured("Cup", "Mug", "Jar"), "A teapot with a very long name for one line"
    alone = sizes_made(plan(short))["headline"]
    mugs = short + pictured(outlier)
    shown = plan(mugs)
    [problem] = shown.summary().problems
    assert problem.startswith(f'headline (en), "{outlier}": it fits only in ')
    assert f"the others of its series have {alone[0]} px" in problem
    assert {item.status.value for item in shown.items()} == {"present", "impossible"}


def test_a_series_that_changes_its_size_leaves_no_picture_as_it_was(said):
    said["en"]["headline"] = "{name}"
    design(headline(lines=1, height=0.2), same_size=True)
    mugs = pictured("Cup", "Mug")
    sizes_made(plan(mugs))
    mugs += pictured("Blue teapot for autumn")
    statuses = sorted(item.status.value for item in plan(mugs).items())
    assert statuses == ["missing", "stale", "stale"]
    assert len(set(sizes_made(plan(mugs))["headline"])) == 1


def test_pictures_of_a_series_are_verified_in_their_own_size(said):
    said["en"]["headline"] = "{name}"
    design(headline(lines=1, height=0.2), same_size=True)
    run = runs.start_run(plan(pictured(*SERIES)))
    worker.drain()
    for job in run.jobs.all():
        for proofs in verification.verify_text(job.images.get()).values():
            assert all(proof.is_proved and proof.stray_ink == 0 for proof in proofs)


@pytest.mark.parametrize("wrong", [{"group": "No Spaces"}, {"group": 3}])
def test_a_wrong_group_says_what_is_expected(wrong):
    with pytest.raises(ValueError, match=r"boxes\[0\]\.group: expected lowercase letters"):
        Layout.from_mapping({"boxes": [headline(**wrong)]})
