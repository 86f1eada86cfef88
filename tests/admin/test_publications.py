"""The admin's pages of publications: new ones, progress, schedules, roll-backs, other moments."""

from datetime import timedelta
from urllib.parse import unquote

import pytest
from django.urls import reverse
from django.utils import timezone

from nb_catalog.admin.publications import moments
from nb_catalog.admin.publications.forms import TimesForm, times_of
from nb_catalog.core.states import ImageState
from nb_catalog.core.types import Permission
from nb_catalog.models import Placement, ProductImage, Publication
from nb_catalog.publishing import request_publication, work_on_publications
from nb_catalog.publishing.schedules import moment_name
from nb_catalog.storefront import parse_moment
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def one_small_jpeg(settings):
    settings.TIME_ZONE = "Europe/Berlin"
    settings.NB_CATALOG = {
        **settings.NB_CATALOG, "RENDITION_WIDTHS": [32], "RENDITION_FORMATS": ["jpeg"]
    }  # fmt: skip


@pytest.fixture
def publisher(client):
    user = factories.staff(Permission.PUBLISH, *factories.VIEW_PRODUCTS)
    client.force_login(user)
    return user


def url(page, *args):
    return reverse(f"admin:nb_catalog_publication_{page}", args=args)


def approved(number, **fields):
    return [
        factories.image(factories.product(photo=False), state=ImageState.APPROVED, **fields)
        for _ in range(number)
    ]


def address_of(*images):
    return url("publish") + "?images=" + ",".join(str(image.pk) for image in images)


def local(**ahead):
    return timezone.localtime(timezone.now() + timedelta(**ahead)).strftime("%Y-%m-%dT%H:%M")


def message_of(response):
    return " ".join(map(str, response.context["messages"]))


def test_pictures_are_chosen_in_their_list_and_published_by_a_worker(client, publisher):
    images = approved(3)
    chosen = client.post(
        reverse("admin:nb_catalog_productimage_changelist"),
        {"action": "publish_pictures", "_selected_action": [image.pk for image in images]},
    )
    assert unquote(chosen.url) == address_of(*images)
    assert "3 pictures are published as one" in client.get(chosen.url).content.decode()
    done = client.post(chosen.url, {"slot": "hero"}, follow=True)
    publication = Publication.objects.get()
    assert done.redirect_chain[-1][0] == url("change", publication.pk)
    assert "published when all are ready" in message_of(done)
    assert "The files of 0 of 3 pictures are ready" in done.content.decode()
    progress = client.get(url("progress", publication.pk))
    assert not progress.json()["done"] and "no-store" in progress["Cache-Control"]
    work_on_publications()
    progress = client.get(url("progress", publication.pk)).json()
    assert (progress["done"], progress["sentence"]) == (True, "Published.")
    assert "roll-back/?publication=" in progress["parts"]["buttons"]
    assert (Placement.objects.count(), publication.actor) == (3, publisher)


def test_pictures_of_a_run_are_published_and_rolled_back_from_its_page(client, publisher):
    run = factories.run(title="Autumn")
    mugs = [factories.product(photo=False) for _ in range(2)]
    for mug in mugs:
        factories.image(mug, state=ImageState.APPROVED, job=factories.job(mug, of=run))
    page = client.get(reverse("admin:nb_catalog_run_change", args=[run.pk])).content.decode()
    publish = f"{url('publish')}?run={run.pk}"
    back = f"{url('roll_back')}?run={run.pk}"
    assert publish in page and back in page
    client.post(publish, {"slot": "hero"})
    work_on_publications()
    assert Placement.objects.count() == 2
    preview = client.get(back)
    assert len(preview.context["preview"].restored) == 2
    assert "Roll back 2 places" in preview.content.decode()
    assert "2 places rolled back." in message_of(client.post(back, follow=True))
    assert not Placement.objects.exists()


def test_a_schedule_is_written_in_the_shops_time_and_changed(client, publisher):
    [image] = approved(1)
    times = {"starts_at": local(hours=2), "ends_at": local(hours=4)}
    client.post(address_of(image), {"slot": "hero", **times})
    publication = Publication.objects.get()
    assert (
        timezone.localtime(publication.starts_at).strftime("%Y-%m-%dT%H:%M") == times["starts_at"]
    )
    page = client.get(url("change", publication.pk)).content.decode()
    assert f'value="{times["starts_at"]}"' in page
    later = {"starts_at": local(hours=3), "ends_at": ""}
    client.post(url("schedule", publication.pk), later)
    publication.refresh_from_db()
    assert publication.ends_at is None
    wrong = client.post(url("schedule", publication.pk), {"starts_at": "noon"}, follow=True)
    assert "is not a time" in message_of(wrong)
    client.post(url("cancel", publication.pk))
    publication.refresh_from_db()
    assert publication.state == "cancelled"
    late = client.post(url("cancel", publication.pk), follow=True)
    assert "does not wait: Cancelled" in message_of(late)


@pytest.mark.parametrize(
    ("times", "text"),
    [
        ({"starts_at": "2030-03-31T02:30"}, "never show 2030-03-31 02:30"),
        ({"starts_at": "2030-10-27T02:30"}, "show 2030-10-27 02:30 twice"),
        ({"starts_at": "2020-01-01T10:00"}, "has passed"),
        (
            {"starts_at": "2030-01-02T10:00", "ends_at": "2030-01-01T10:00"},
            "is not after the start",
        ),
    ],
)
def test_times_that_cannot_be_are_said_beside_the_form(client, publisher, times, text):
    [image] = approved(1)
    page = client.post(address_of(image), {"slot": "hero", **times})
    assert text in page.content.decode()
    assert not Publication.objects.exists()


def test_a_time_that_another_publication_has_is_said_beside_the_form(client, publisher):
    mug = factories.product(photo=False)
    first, second = (factories.image(mug, state=ImageState.APPROVED) for _ in range(2))
    times = {"starts_at": local(hours=2), "ends_at": local(hours=4)}
    client.post(address_of(first), {"slot": "hero", **times})
    other = Publication.objects.get()
    page = client.post(address_of(second), {"slot": "hero", **times}).content.decode()
    assert "has the slot “hero”" in page and f"Publication {other.pk} " in page
    later = {"starts_at": local(hours=5), "ends_at": local(hours=6)}
    client.post(address_of(second), {"slot": "hero", **later})
    moved = Publication.objects.exclude(pk=other.pk).get()
    refused = client.post(url("schedule", moved.pk), times, follow=True)
    assert "Choose another time, or cancel it" in message_of(refused)
    seen = moved.starts_at
    moved.refresh_from_db()
    assert moved.starts_at == seen


def test_a_stopped_publication_names_its_pictures_and_goes_on_without_them(client, publisher):
    images = approved(3)
    keys = [((image.content_type_id, image.object_id, "hero", "", 0), image) for image in images]
    publication = request_publication(keys, actor=publisher)
    ProductImage.objects.filter(pk=images[0].pk).update(state=ImageState.REJECTED)
    work_on_publications()
    page = client.get(url("change", publication.pk)).content.decode()
    assert f"Picture {images[0].pk} is not approved" in page and "Publish the others" in page
    home = client.get(reverse("admin:app_list", args=["nb_catalog"])).content.decode()
    assert "Publications that were stopped" in home
    client.post(url("retry", publication.pk), {"leave_out": "1"})
    work_on_publications()
    assert Placement.objects.count() == 2


def test_the_shop_is_rolled_back_to_a_moment_of_the_shops_clocks(client, publisher):
    placement = factories.published()
    page = client.get(url("roll_back"), {"at": "2020-01-01T10:00", "slot": "hero"})
    assert "What changes" in page.content.decode()
    assert "is not a time" in client.get(url("roll_back"), {"at": "x"}).content.decode()
    future = client.get(url("roll_back"), {"at": local(days=2)}, follow=True)
    assert "yet to come" in message_of(future)
    client.post(url("roll_back") + "?at=2020-01-01T10:00&slot=gallery", follow=True)
    assert Placement.objects.get() == placement
    client.post(url("roll_back") + "?at=2020-01-01T10:00", follow=True)
    assert not Placement.objects.exists()


def test_the_products_that_a_search_finds_are_rolled_back_to_a_moment(client, publisher):
    tall, other = (factories.product(name=name, photo=False) for name in ("Tall mug", "Small mug"))
    for mug in (tall, other):
        factories.published(mug)
    address = url("roll_back") + "?at=2020-01-01T10:00&slot=&products="
    page = client.get(address + "tall+mug")
    assert [row.key[1] for row in page.context["preview"].restored] == [str(tall.pk)]
    assert 'value="tall mug"' in page.content.decode()
    for nothing in (client.get(address + "vase"), client.post(address + "vase")):
        assert nothing.context["preview"] is None
        assert "No products are found for “vase”" in nothing.content.decode()
    assert Placement.objects.count() == 2
    client.post(address + "tall+mug", follow=True)
    assert Placement.objects.get() == Placement.objects.about(other).get()


def test_places_that_stay_as_they_are_are_listed_before_the_button(client, publisher):
    run, mugs = factories.run(), [factories.product(photo=False) for _ in range(2)]
    images = [
        factories.image(mug, state=ImageState.APPROVED, job=factories.job(mug, of=run))
        for mug in mugs
    ]
    keys = [((image.content_type_id, image.object_id, "hero", "", 0), image) for image in images]
    request_publication(keys, actor=None, background=False)
    own = factories.published(mugs[0])
    address = f"{url('roll_back')}?run={run.pk}"
    page = client.get(address).content.decode()
    assert "Changed since, stays as it is" in page and 'name="partial"' in page
    client.post(address, {"partial": "1"})
    assert Placement.objects.get().image_id == own.image_id


def test_another_moment_is_previewed_for_the_shop_and_for_chosen_products(client, publisher):
    before = factories.published(factories.product(photo=False))
    mug = before.image.catalog_object
    newer = factories.image(mug, state=ImageState.APPROVED)
    quiet = factories.published(factories.product(photo=False))
    client.post(address_of(newer), {"slot": "hero", "starts_at": local(hours=2)})
    assert client.get(url("moment"), {"at": local(hours=1)}).context["rows"] == []
    [row] = client.get(url("moment"), {"at": local(hours=3)}).context["rows"]
    assert (row.now.pk, row.then.pk) == (before.image_id, newer.pk)
    chosen = client.post(
        reverse("admin:testcatalog_mug_changelist"),
        {
            "action": "preview_catalog_moment",
            "_selected_action": [mug.pk, quiet.image.catalog_object.pk],
        },
    )
    assert chosen.url.startswith(url("moment"))
    rows = client.get(f"{chosen.url}&at={local(hours=3)}").context["rows"]
    assert {row.then.pk for row in rows} == {newer.pk, quiet.image_id}


@pytest.mark.parametrize("ahead", [-1, 3])
def test_a_moment_is_previewed_for_the_products_that_a_search_finds(
    client, publisher, monkeypatch, ahead
):
    monkeypatch.setattr(moments, "BLOCK_SIZE", 1)
    mugs = [factories.product(name=name, photo=False) for name in ("Tall 1", "Small", "Tall 2")]
    images = [factories.published(mug).image for mug in mugs]
    if ahead > 0:
        images = [factories.image(mug, state=ImageState.APPROVED) for mug in mugs]
        client.post(address_of(*images), {"slot": "hero", "starts_at": local(hours=2)})
    at = {"at": local(hours=ahead), "products": "tall"}
    rows = client.get(url("moment"), at).context["rows"]
    changed = [row.then if ahead > 0 else row.now for row in rows]
    assert {picture.pk for picture in changed} == {images[0].pk, images[2].pk}
    monkeypatch.setattr(moments, "BLOCK_SIZE", 2)
    monkeypatch.setattr(moments, "MOST_PRODUCTS", 1)
    assert len(client.get(url("moment"), at).context["rows"]) == 1
    page = client.get(url("moment"), at | {"products": "vase"})
    assert page.context["rows"] is None
    assert "No products are found for “vase”" in page.content.decode()


def test_chosen_products_are_not_searched_for(client, publisher):
    mug = factories.product(photo=False)
    chosen = client.post(
        reverse("admin:testcatalog_mug_changelist"),
        {"action": "preview_catalog_moment", "_selected_action": [mug.pk]},
    )
    assert "products" not in client.get(chosen.url).context["form"].fields
    assert "products" in client.get(url("moment")).context["form"].fields


def test_each_page_asks_for_its_permission(client):
    [image] = approved(1)
    publication = Publication.objects.create(title="Autumn")
    client.force_login(factories.staff())
    assert client.get(url("changelist")).status_code == 200
    assert client.get(url("change", publication.pk)).status_code == 200
    assert client.get(url("moment")).status_code == 200
    assert client.get(address_of(image)).status_code == 403
    assert client.get(url("roll_back")).status_code == 403
    for page in ("cancel", "retry", "schedule"):
        assert client.post(url(page, publication.pk)).status_code == 403
    client.force_login(factories.staff(views=False))
    for page in ("changelist", "moment"):
        assert client.get(url(page)).status_code == 403
    assert client.get(url("progress", publication.pk)).status_code == 403
    client.force_login(factories.staff(Permission.PUBLISH))
    assert client.get(url("roll_back") + "?run=99999").status_code == 404
    assert client.get(url("publish") + "?images=").status_code == 200
    for page in ("cancel", "retry", "schedule"):
        assert client.get(url(page, publication.pk)).status_code == 405


def test_saving_what_the_form_shows_changes_nothing_in_any_time_zone(client, publisher):
    image = approved(1)[0]
    starts = timezone.now().replace(second=31, microsecond=5) + timedelta(days=1)
    place = (image.content_type_id, image.object_id, "hero", "", 0)
    publication = request_publication([(place, image)], actor=publisher, starts_at=starts)
    named, shown = moment_name(starts), timezone.localtime(starts).strftime("%Y-%m-%dT%H:%M")
    with timezone.override("America/New_York"):
        assert TimesForm(initial=times_of(publication))["starts_at"].value() == parse_moment(
            shown
        ).replace(tzinfo=None, second=31)
        assert moment_name(starts) == named
        client.post(url("schedule", publication.pk), {"starts_at": shown, "ends_at": ""})
    publication.refresh_from_db()
    assert publication.starts_at == starts
