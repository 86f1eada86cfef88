import re

import pytest
from django.contrib import admin
from django.urls import reverse

from nb_catalog.admin import thumbnails
from nb_catalog.conf import GEMINI_TIERS
from nb_catalog.core.types import Permission
from nb_catalog.generation import runs
from nb_catalog.models import ImageJob, Run
from nb_catalog.testing import Script
from tests import factories
from tests.catalog.catalog_images import MugSource

pytestmark = pytest.mark.django_db

GENERATE = "/admin/nb_catalog/run/generate/"
PLAN = "/admin/nb_catalog/run/generate/plan/"


@pytest.fixture
def mugs():
    factories.scene("marble")
    factories.scene("oak")
    return [factories.product() for _ in range(2)]


@pytest.fixture
def paid(settings):
    """A paid tier, whose provider is never reached."""
    settings.NB_CATALOG = {
        **settings.NB_CATALOG,
        "TIERS": GEMINI_TIERS,
        "PROVIDERS": {"gemini": Script().as_setting()},
    }


def choose(client, products):
    """Take the action on the list, as a person does; what the form then carries along."""
    answer = client.post(
        reverse("admin:testcatalog_mug_changelist"),
        {"action": "generate_catalog_pictures", "_selected_action": [p.pk for p in products]},
    )
    page = client.get(answer.url).content.decode()
    return {
        "selection": answer.url.rpartition("=")[2],
        "nonce": re.search(r'name="nonce" value="(\w+)"', page)[1],
    }


def wishes(**changes):
    return {
        "scenes": ["marble"], "variants": "1", "ratio": "4:5", "tier": "draft",
        "treatment": "locked", "budget_usd": "",
    } | changes  # fmt: skip


def test_the_page_offers_scenes_ratios_tiers_and_treatments(root, mugs):
    carried = choose(root, mugs)
    page = root.get(f"{GENERATE}?selection={carried['selection']}").content.decode()
    assert page.count('name="ratio"') == 14
    assert page.count('name="tier"') == 3
    assert page.count('name="treatment"') == 3
    assert "Local studio" in page
    assert re.search(r'src="/admin/nb_catalog/scene/\d+/thumbnail-\w+\.webp"', page)
    assert str(mugs[0]) in page


@pytest.mark.parametrize("permission", [None, Permission.REVIEW, Permission.PUBLISH])
@pytest.mark.parametrize("url", [GENERATE, PLAN])
def test_nobody_generates_without_the_permission(sign_in, mugs, permission, url):
    client = sign_in(*([permission] if permission else []))
    key = {"model": "testcatalog.mug", "key": mugs[0].pk}
    data = wishes(start="1") | key
    assert client.post(url, data).status_code == 403
    assert client.get(GENERATE, key).status_code == 403
    assert not Run.objects.exists()


def test_people_who_are_not_staff_are_sent_to_the_login(client):
    assert "/login/" in client.get(GENERATE).url


def test_without_a_selection_the_page_says_how_to_make_one(root):
    assert b"select products" in root.get(GENERATE).content
    assert b"select products" in root.get(GENERATE, {"selection": "forgotten"}).content
    for model, key in (
        ("testcatalog.mug", "x"),
        ("testcatalog.mug", "9" * 30),
        ("nowhere.mug", "1"),
    ):
        assert b"select products" in root.get(GENERATE, {"model": model, "key": key}).content


def test_the_plan_counts_what_is_to_be_made(root, mugs):
    carried = choose(root, [*mugs, factories.product(photo=False)])
    page = root.post(PLAN, wishes(scenes=["marble", "oak"], variants="2") | carried)
    text = page.content.decode()
    assert "8 pictures to generate" in text
    assert "The product has no photo. Upload one." in text
    assert "<!doctype" not in text.lower()


def test_the_plan_says_that_photos_are_too_small(root, mugs):
    text = root.post(PLAN, wishes() | choose(root, mugs)).content.decode()
    assert "for which the photo is enlarged at least" in text
    assert f"× {len(mugs)}" in text


def test_the_plan_shows_photos_that_cannot_be_used_or_are_doubtful_with_the_way_out(root, mugs):
    refused = factories.product(name="Glass")
    impossible = factories.cutout(
        refused, state="refused", masked=False, problem="The photo's background is not plain."
    )
    doubtful = factories.cutout(mugs[0])
    answer = root.post(PLAN, wishes() | choose(root, [*mugs, refused]))
    text = answer.content.decode()
    assert "1 photo cannot be cut out." in text
    assert "The cut-out of 1 photo is doubtful. Its pictures are made" in text
    assert "1 photo has not been cut out yet." in text
    rows = re.findall(r'<li><a href="([^"]+)"><img src="([^"]+)"[^>]*><span>(.*?)</li>', text)
    shown = [(url, re.sub("<[^>]*>", "", words)) for url, _thumbnail, words in rows]
    change = "admin:nb_catalog_photocutout_change"
    assert shown == [
        (reverse(change, args=[impossible.pk]), "Glass The photo&#x27;s background is not plain."),
        (
            reverse(change, args=[doubtful.pk]),
            f"{mugs[0].name} It is uncertain what belongs to the product.",
        ),
    ]
    for url, thumbnail, _words in rows:
        assert root.get(thumbnail)["Content-Type"] == "image/jpeg"
        assert root.get(url).status_code == 200
    assert "2 pictures to generate" in text


def test_the_plan_of_a_paid_tier_says_the_price(root, mugs, paid):
    page = root.post(PLAN, wishes() | choose(root, mugs)).content.decode()
    assert re.search(r"up to \$0\.0\d{3}", page)


def test_a_budget_below_the_price_is_mentioned(root, mugs, paid):
    page = root.post(PLAN, wishes(budget_usd="0.01") | choose(root, mugs)).content.decode()
    assert "$0.0100 is lower than the price" in page


def test_objections_are_readable_and_all_told_at_once(root, mugs):
    page = root.post(PLAN, wishes(treatment="painted") | choose(root, mugs)).content.decode()
    assert "has no treatment" in page
    page = root.post(PLAN, wishes(scenes=[], variants="99") | choose(root, mugs)).content.decode()
    assert "Choose at least one scene." in page
    assert "Variants per product and scene" in page


def test_the_plan_is_updated_without_javascript(root, mugs):
    carried = choose(root, mugs)
    page = root.post(GENERATE, wishes(update="1") | carried).content.decode()
    assert "2 pictures to generate" in page
    assert carried["nonce"] in page
    assert not Run.objects.exists()


def test_a_free_plan_starts_at_once(root, mugs):
    answer = root.post(GENERATE, wishes(start="1") | choose(root, mugs))
    run = Run.objects.get()
    assert answer.url == reverse("admin:nb_catalog_run_change", args=[run.pk])
    assert run.jobs.count() == 2
    assert run.actor == root.user


def test_a_double_click_starts_one_run(root, mugs):
    data = wishes(start="1") | choose(root, mugs)
    first, second = root.post(GENERATE, data), root.post(GENERATE, data)
    assert first.url == second.url
    assert Run.objects.count() == 1
    assert ImageJob.objects.count() == 2


def test_changed_wishes_on_the_same_page_start_another_run(root, mugs):
    carried = choose(root, mugs)
    root.post(GENERATE, wishes(start="1") | carried)
    root.post(GENERATE, wishes(start="1", scenes=["oak"]) | carried)
    assert Run.objects.count() == 2


def test_the_same_wishes_on_a_page_opened_anew_are_another_plan(root, mugs):
    carried = choose(root, mugs)
    root.post(GENERATE, wishes(start="1") | carried)
    runs.cancel_run(Run.objects.get())
    page = root.get(f"{GENERATE}?selection={carried['selection']}").content.decode()
    carried["nonce"] = re.search(r'name="nonce" value="(\w+)"', page)[1]
    root.post(GENERATE, wishes(start="1") | carried)
    assert Run.objects.count() == 2


def test_a_paid_plan_asks_before_it_starts(root, mugs, paid):
    data = wishes(start="1") | choose(root, mugs)
    page = root.post(GENERATE, data).content.decode()
    assert "Yes, spend up to $" in page
    assert not Run.objects.exists()
    agreed = re.search(r'name="agreed_usd" value="([\d.]+)"', page)[1]
    root.post(GENERATE, data | {"agreed_usd": agreed})
    assert Run.objects.get().jobs.count() == 2


def test_an_agreement_to_less_is_no_agreement(root, mugs, paid):
    data = wishes(start="1") | choose(root, mugs)
    for agreed in ("0.0001", "nan", "Infinity", "much"):
        page = root.post(GENERATE, data | {"agreed_usd": agreed}).content.decode()
        assert "Yes, spend up to $" in page
    assert not Run.objects.exists()


def test_the_confirmation_carries_every_wish_along(root, mugs, paid):
    data = wishes(start="1", scenes=["marble", "oak"], budget_usd="5") | choose(root, mugs)
    page = root.post(GENERATE, data).content.decode()
    carried = re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', page)
    for name, value in (("scenes", "marble"), ("scenes", "oak"), ("budget_usd", "5")):
        assert (name, value) in carried


def test_nothing_to_make_starts_nothing(root, mugs):
    carried = choose(root, mugs)
    root.post(GENERATE, wishes(start="1") | carried)
    page = root.post(GENERATE, wishes(start="1") | choose(root, mugs)).content.decode()
    assert "Nothing to generate" in page
    assert Run.objects.count() == 1


def test_one_product_is_generated_for_from_its_own_page(root, mugs):
    key = {"model": "testcatalog.mug", "key": mugs[0].pk}
    page = root.get(GENERATE, key).content.decode()
    nonce = re.search(r'name="nonce" value="(\w+)"', page)[1]
    root.post(GENERATE, wishes(start="1", nonce=nonce) | key)
    assert Run.objects.get().jobs.get().object_id == str(mugs[0].pk)


def test_another_user_s_selection_is_not_found(root, mugs, sign_in):
    carried = choose(root, mugs)
    client = sign_in(Permission.GENERATE)
    assert client.post(PLAN, wishes() | carried).status_code == 403


def test_a_plan_costs_the_same_queries_for_more_products(root, mugs, django_assert_max_num_queries):
    more = choose(root, [*mugs, *(factories.product() for _ in range(20))])
    with django_assert_max_num_queries(14):
        root.post(PLAN, wishes() | more)


def test_scene_thumbnails_are_cached_for_ever(root):
    url = thumbnails.scene_url(factories.scene("marble"), site=admin.site)
    first = root.get(url)
    assert first["Content-Type"] == "image/webp"
    assert first.content[8:12] == b"WEBP"
    assert first["Cache-Control"] == thumbnails.FOREVER
    assert root.get(url, headers={"If-None-Match": first["ETag"]}).status_code == 304


def test_a_changed_recipe_has_another_address():
    scene = factories.scene("marble")
    before = thumbnails.scene_url(scene, site=admin.site)
    scene.renderer = {"surface": {"kind": "oak"}}
    assert thumbnails.scene_url(scene, site=admin.site) != before


def test_the_address_of_an_old_recipe_leads_to_the_new_one(root):
    scene = factories.scene("marble")
    before = thumbnails.scene_url(scene, site=admin.site)
    scene.renderer = {"surface": {"kind": "oak"}}
    scene.save()
    assert root.get(before).url == thumbnails.scene_url(scene, site=admin.site)


def test_scenes_are_shown_to_those_who_choose_them_only(sign_in, client):
    url = thumbnails.scene_url(factories.scene("marble"), site=admin.site)
    assert sign_in(Permission.GENERATE, views=False).get(url).status_code == 200
    assert sign_in(views=False).get(url).status_code == 403


@pytest.mark.parametrize(("seen", "status"), [((), 403), (("testcatalog.view_mug",), 200)])
def test_one_product_by_its_address_is_for_those_who_may_see_it(sign_in, mugs, seen, status):
    client = sign_in(Permission.GENERATE, *seen)
    address = reverse("admin:nb_catalog_run_generate")
    answer = client.get(f"{address}?model=testcatalog.mug&key={mugs[0].pk}")
    assert answer.status_code == status


def test_a_batch_is_offered_at_half_the_price(client, mugs, settings):
    settings.NB_CATALOG = {**settings.NB_CATALOG, "TIERS": GEMINI_TIERS}
    client.force_login(factories.superuser())
    wish = choose(client, mugs) | {
        "scenes": ["marble"], "variants": "1", "ratio": "1:1", "tier": "draft",
        "treatment": "painted",
    }  # fmt: skip
    now = client.post(PLAN, wish).content.decode()
    batch = client.post(PLAN, wish | {"mode": "batch"}).content.decode()
    assert "$0.0362" in now and "with one worker" in now
    assert "$0.0181" in batch and "within 24 hours" in batch
    page = client.post(GENERATE, wish | {"mode": "batch", "update": "1"}).content.decode()
    assert re.search(r'value="batch" checked', page)
    assert 'data-modes="direct batch"' in page


def test_pictures_in_a_batch_are_told_on_the_runs_page(client, mugs):
    from nb_catalog.models import ProviderBatch

    client.force_login(factories.superuser())
    run = factories.run()
    batch = ProviderBatch.objects.create(name="nb-1", provider="gemini", model="m", state="running")
    job = factories.job(run=run, state="submitted")
    ImageJob.objects.filter(pk=job.pk).update(batch=batch)
    page = client.get(reverse("admin:nb_catalog_run_change", args=[run.pk])).content.decode()
    assert "nb-1" in page and "With the provider" in page
    listed = client.get(reverse("admin:nb_catalog_providerbatch_changelist")).content.decode()
    assert "nb-1" in listed and "not submitted" in listed
    shown = client.get(reverse("admin:nb_catalog_providerbatch_change", args=[batch.pk]))
    assert shown.status_code == 200


def test_chosen_products_become_one_picture_kept_under_one_of_them(root, mugs):
    carried = choose(root, mugs)
    page = root.get(f"{GENERATE}?selection={carried['selection']}").content.decode()
    assert f"One picture of all, kept under {mugs[1].name}" in page
    assert 'name="bundles"' not in page
    root.post(GENERATE, wishes(start="1", together=str(mugs[1].pk)) | carried)
    job = ImageJob.objects.get()
    assert job.object_id == str(mugs[1].pk)
    assert [part["object_id"] for part in job.spec["parts"]] == [
        str(mugs[1].pk),
        str(mugs[0].pk),
    ]


def test_a_model_with_bundles_offers_them(root, mugs, monkeypatch):
    bundle = factories.product()
    monkeypatch.setattr(
        MugSource, "bundle", lambda self, product: mugs if product.pk == bundle.pk else ()
    )
    carried = choose(root, [bundle])
    page = root.get(f"{GENERATE}?selection={carried['selection']}").content.decode()
    assert 'name="bundles"' in page and 'name="together"' not in page
    root.post(GENERATE, wishes(start="1", bundles="on") | carried)
    assert len(ImageJob.objects.get().spec["parts"]) == 2


def test_what_cannot_be_shown_together_is_told_on_the_page(root, mugs):
    bare = factories.product(name="Bare", photo=False)
    carried = choose(root, [*mugs, bare])
    page = root.post(PLAN, wishes(together=str(mugs[0].pk)) | carried).content.decode()
    assert "“Bare”, a part of the bundle, has no photo" in page
