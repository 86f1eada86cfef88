import json
import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from nb_catalog.core.states import ImageState, JobState
from nb_catalog.core.types import Permission
from nb_catalog.models import DailyBudget, Placement, ProviderCall, ProviderPause, Scene
from nb_catalog.publishing import placements
from nb_catalog.ratelimit import UNTIL_A_PERSON_ACTS
from tests import factories
from tests.catalog.models import Mug

pytestmark = pytest.mark.django_db

PREVIEW = "/admin/nb_catalog/scene/preview/"


def list_url(name):
    return reverse(f"admin:nb_catalog_{name}_changelist")


def page_url(name, row, page="change"):
    return reverse(f"admin:nb_catalog_{name}_{page}", args=[row.pk])


def a_call():
    job = factories.job(factories.product(photo=False), state=JobState.SUCCEEDED)
    return ProviderCall.objects.create(
        job=job, epoch=1, provider="gemini", model="m", started_at=timezone.now()
    )


def a_pause(**fields):
    defaults = {
        "provider": "gemini", "model": f"m{ProviderPause.objects.count()}",
        "until": timezone.now() + timedelta(hours=1), "reason": "Spend cap reached.",
    }  # fmt: skip
    return ProviderPause.objects.create(**defaults | fields)


def a_day():
    day = timezone.now().date() - timedelta(days=DailyBudget.objects.count())
    return DailyBudget.objects.create(day=day, spent_microusd=33_600)


MAKERS = {
    "scene": lambda: factories.scene(f"scene-{Scene.objects.count()}"),
    "run": lambda: factories.job(state=JobState.SUCCEEDED).run,
    "imagejob": lambda: factories.job(factories.product(photo=False)),
    "productimage": lambda: factories.image(factories.product(photo=False)),
    "providercall": a_call,
    "providerpause": a_pause,
    "dailybudget": a_day,
    "placement": lambda: factories.published(size=(20, 20)),
    "photocutout": lambda: factories.cutout(),
}


def a_stale_placement():
    placement = factories.published(size=(20, 20))
    Placement.objects.update(stale_since=timezone.now())
    return placement


# Rows with values that the others lack.
MORE = (
    ("placement", a_stale_placement),
    ("gallerydelivery", factories.gallery_delivery),
    ("imagejob", lambda: factories.job(factories.product(photo=False), state=JobState.FAILED)),
)


@pytest.mark.parametrize("name", MAKERS)
def test_a_longer_list_costs_no_more_queries(root, name):
    def queries():
        with CaptureQueriesContext(connection) as captured:
            assert root.get(list_url(name)).status_code == 200
        return len(captured)

    MAKERS[name]()
    queries()
    few = queries()
    for _ in range(4):
        MAKERS[name]()
    # What is looked at for the first time may be counted and the count kept.
    queries()
    assert queries() == few


@pytest.mark.parametrize("name", MAKERS)
def test_every_row_has_a_page(root, name):
    assert root.get(page_url(name, MAKERS[name]())).status_code == 200


@pytest.mark.parametrize(("name", "maker"), (*MAKERS.items(), *MORE))
def test_a_page_has_neither_empty_values_nor_those_of_the_program(root, name, maker):
    page = root.get(page_url(name, maker())).content.decode()
    values = re.findall(
        r'field-(\w+)"?(?:(?!field-).)*?<div class="readonly">(.*?)</div>', page, re.DOTALL
    )
    assert values or name in ("scene", "photocutout", "run")
    raw = re.compile(r"|None|.*\d\d:\d\d:\d\d[.+].*")
    assert not [field for field, value in values if raw.fullmatch(value.strip())]


@pytest.mark.parametrize("name", ["imagejob", "placement"])
def test_a_page_is_called_by_the_product(root, name):
    row = MAKERS[name]()
    page = root.get(page_url(name, row)).content.decode()
    (title,) = re.findall(r"<title>(.*?)</title>", page, re.DOTALL)
    assert title.startswith(f"{Mug.objects.get(pk=row.object_id).name} |")


@pytest.mark.parametrize("name", sorted(MAKERS.keys() - {"scene"}))
def test_what_the_machine_writes_nobody_adds_or_changes(root, name):
    row = MAKERS[name]()
    assert root.post(reverse(f"admin:nb_catalog_{name}_add")).status_code == 403
    assert root.post(page_url(name, row), {}).status_code == 403


@pytest.mark.parametrize("name", sorted(MAKERS.keys() - {"scene", "providerpause"}))
def test_what_the_machine_wrote_nobody_deletes(root, name):
    row = MAKERS[name]()
    assert root.post(page_url(name, row, "delete"), {"post": "yes"}).status_code == 403
    assert type(row).objects.filter(pk=row.pk).exists()


@pytest.mark.parametrize("name", MAKERS)
def test_staff_without_permissions_see_no_list(sign_in, name):
    MAKERS[name]()
    client = sign_in(views=False)
    assert client.get(list_url(name)).status_code == 403


def test_a_cost_that_nobody_reported_is_not_zero(root):
    a_call()
    assert "not reported" in root.get(list_url("providercall")).content.decode()


def test_deleting_a_pause_lets_the_provider_go_on(root):
    pause = a_pause()
    page = root.get(page_url("providerpause", pause, "delete")).content.decode()
    assert "Yes, resume" in page
    assert "Spend cap reached." in page
    root.post(page_url("providerpause", pause, "delete"), {"post": "yes"})
    assert not ProviderPause.objects.exists()


def test_pauses_are_lifted_from_the_list_by_those_who_may(sign_in):
    pause = a_pause()
    data = {"action": "resume", "_selected_action": [pause.pk]}
    view = "nb_catalog.view_providerpause"
    sign_in(view).post(list_url("providerpause"), data)
    assert ProviderPause.objects.exists()
    sign_in(view, "nb_catalog.delete_providerpause").post(list_url("providerpause"), data)
    assert not ProviderPause.objects.exists()


def test_a_pause_that_waits_for_a_person_says_so(root):
    a_pause(until=timezone.now() + UNTIL_A_PERSON_ACTS)
    assert "until resumed manually" in root.get(list_url("providerpause")).content.decode()


def test_a_picture_of_a_deleted_product_is_still_listed(root):
    mug = factories.product(photo=False)
    image = factories.image(mug)
    key = mug.pk
    mug.delete()
    page = root.get(list_url("productimage")).content.decode()
    assert f"/{image.pk}/change/" in page
    assert f">{key}<" in page


def test_withdrawing_needs_the_permission_to_publish(sign_in):
    placement = factories.published()
    client = sign_in(Permission.REVIEW)
    assert "formaction" not in client.get(list_url("placement")).content.decode()
    assert client.post(page_url("placement", placement, "withdraw")).status_code == 403
    assert client.post(page_url("placement", placement, "roll_back")).status_code == 403
    assert Placement.objects.exists()


def test_a_placement_is_withdrawn_and_its_picture_stays_approved(sign_in):
    placement = factories.published()
    client = sign_in(Permission.PUBLISH)
    assert page_url("placement", placement, "withdraw") in (
        client.get(list_url("placement")).content.decode()
    )
    page = client.post(page_url("placement", placement, "withdraw"), follow=True)
    assert "Unpublished from hero" in page.content.decode()
    assert not Placement.objects.exists()
    placement.image.refresh_from_db()
    assert placement.image.state == ImageState.APPROVED


def test_rolling_back_puts_the_picture_before_in_its_place(root):
    mug = factories.product()
    first = factories.published(mug).image
    second = factories.image(mug, state=ImageState.APPROVED)
    placement = placements.publish(second, slot="hero", actor=None)
    root.post(page_url("placement", placement, "roll_back"))
    assert Placement.objects.get().image == first


def test_a_deleted_product_s_picture_is_not_rolled_back_and_can_be_withdrawn(root):
    mug = factories.product()
    placement = factories.published(mug)
    mug.delete()
    page = root.post(page_url("placement", placement, "roll_back"), follow=True)
    assert "The product was deleted" in page.content.decode()
    assert Placement.objects.exists()
    root.post(page_url("placement", placement, "withdraw"))
    assert not Placement.objects.exists()


def test_withdrawing_what_is_gone_is_a_message(root):
    placement = factories.published()
    url = page_url("placement", placement, "withdraw")
    root.post(url)
    assert (
        "Someone else has already unpublished this" in root.post(url, follow=True).content.decode()
    )


def scene_fields(**changes):
    return {
        "name": "Slate", "key": "slate", "prompt": "A slate table.", "system": "",
        "renderer": json.dumps({"surface": {"kind": "stone"}}), "position": "0", "is_active": "on",
    } | changes  # fmt: skip


def test_a_scene_is_added_and_its_version_rises_when_it_changes(root):
    root.post(reverse("admin:nb_catalog_scene_add"), scene_fields())
    scene = Scene.objects.get(key="slate")
    root.post(page_url("scene", scene), scene_fields(prompt="A dark slate table."))
    scene.refresh_from_db()
    assert scene.version == 2
    assert '<div class="readonly">2</div>' in root.get(page_url("scene", scene)).content.decode()


def test_a_wrong_key_in_a_recipe_is_named(root):
    fields = scene_fields(renderer=json.dumps({"surfase": {"kind": "stone"}}))
    page = root.post(reverse("admin:nb_catalog_scene_add"), fields).content.decode()
    assert "surfase" in page
    assert "Did you mean" in page
    assert not Scene.objects.exists()


@pytest.mark.parametrize("empty", ["", "{}", "null"])
def test_a_scene_without_a_recipe_is_for_models_only(root, empty):
    root.post(reverse("admin:nb_catalog_scene_add"), scene_fields(renderer=empty))
    assert Scene.objects.get().renderer == {}
    assert "AI model only" in root.get(list_url("scene")).content.decode()


def test_a_recipe_is_drawn_while_it_is_typed(root):
    answer = root.get(PREVIEW, {"content": json.dumps({"surface": {"kind": "oak"}})})
    assert answer["Content-Type"] == "image/webp"


@pytest.mark.parametrize("spec", ["{", "[]", '{"surface": {"kind": "lava"}}', "1", "[" * 9999])
def test_a_recipe_that_cannot_be_drawn_says_why(root, spec):
    answer = root.get(PREVIEW, {"content": spec})
    assert answer.status_code == 400
    assert answer.json()["error"]


def test_recipes_are_drawn_for_those_who_write_scenes(sign_in):
    spec = {"content": json.dumps({"surface": {"kind": "oak"}})}
    assert sign_in().get(PREVIEW, spec).status_code == 403
    assert sign_in("nb_catalog.change_scene").get(PREVIEW, spec).status_code == 200


@pytest.mark.parametrize(
    "name", ["productimage_export", "run_generate", "scene_changelist", "run_changelist"]
)
def test_an_address_with_a_nul_is_refused_before_a_database_reads_it(root, name):
    address = reverse(f"admin:nb_catalog_{name}")
    assert root.get(f"{address}?series=%00").status_code == 400
