"""Published pictures in Wagtail's image library."""

import json

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.core.serializers import serialize
from django.urls import reverse
from wagtail.images.models import Image
from wagtail.models import (
    Collection,
    GroupApprovalTask,
    GroupPagePermission,
    Locale,
    Page,
    Revision,
    TaskState,
    Workflow,
    WorkflowState,
    WorkflowTask,
)

import nb_catalog
from nb_catalog import publishing, registry
from nb_catalog.contrib.wagtail.galleries import ImageLibraryGallery
from nb_catalog.core.states import ImageState
from nb_catalog.imaging.provenance import DigitalSourceType, read_mark
from nb_catalog.models import GalleryDelivery
from nb_catalog.publishing import galleries
from tests import factories
from tests.catalog.models import Lamp
from tests.contrib.host.site.models import LampPage

pytestmark = pytest.mark.django_db

GALLERY = ImageLibraryGallery(slots=("hero",), collection="Products", tags=("generated",))


@pytest.fixture(autouse=True)
def source():
    # What Wagtail's migrations write.
    Collection.add_root(name="Root")
    Locale.objects.get_or_create(language_code="en")

    @nb_catalog.register(Lamp)
    class LampSource(nb_catalog.CatalogSource):
        title_field = "name"
        photo_field = "packshot"
        slots = ("hero", "gallery")
        galleries = (GALLERY,)

    yield registry.source_for(Lamp)
    registry.unregister(Lamp)


@pytest.fixture
def lamp():
    return Lamp.objects.create(name="Reading lamp")


@pytest.fixture
def page():
    root = Page.add_root(instance=Page(title="Root", slug="root"))
    return root.add_child(instance=LampPage(title="Lamp", slug="lamp"))


def publish(lamp, **checks):
    image = factories.image(lamp, state=ImageState.APPROVED, checks=checks, size=(40, 50))
    return publishing.publish(image, slot="hero", actor=None)


def rows():
    return json.loads(serialize("json", Image.objects.order_by("pk")))


def state():
    return GalleryDelivery.objects.get().state


def test_nothing_is_wrong_with_the_declaration(source):
    assert list(registry.gallery_problems(source, locales=("en",))) == []


def test_a_picture_becomes_an_image_that_editors_find(lamp):
    publish(lamp, product=[10, 20, 20, 10])
    galleries.deliver_due()
    image = Image.objects.get()
    assert (image.title, image.description) == ("Reading lamp", "Reading lamp")
    assert image.collection.name == "Products"
    assert [tag.name for tag in image.tags.all()] == ["generated"]
    focus = image.get_focal_point()
    # The file is 32 pixels wide, the picture 40.
    assert (focus.left, focus.top, focus.width, focus.height) == (8, 16, 16, 8)
    with image.file.open() as file:
        assert read_mark(file.read()) == DigitalSourceType.COMPOSITE_WITH_MODEL


def test_a_newer_picture_takes_the_place_of_the_image_and_of_its_renditions(lamp):
    publish(lamp)
    galleries.deliver_due()
    image = Image.objects.get()
    old = image.get_rendition("width-16").file.name
    image.get_file_hash()
    image.get_file_size()
    publish(lamp)
    galleries.deliver_due()
    newer = Image.objects.get()
    assert newer.pk == image.pk and newer.file.name != image.file.name
    assert state() == "delivered"
    assert newer.get_rendition("width-16").file.name != old
    assert newer.get_file_hash() != image.file_hash


def test_pages_store_its_key_by_a_foreign_key_and_in_a_block(lamp, page):
    assert GALLERY.chooser_value(lamp, slot="hero") is None
    publish(lamp)
    galleries.deliver_due()
    page.hero_id = GALLERY.chooser_value(lamp, slot="hero")
    page.body = json.dumps(
        [
            {"type": "chosen", "value": page.hero_id},
            {"type": "image", "value": GALLERY.block_value(lamp, slot="hero")},
        ]
    )
    page.save()
    shown = LampPage.objects.get()
    image = Image.objects.get()
    assert shown.hero == image and shown.body[0].value == image
    assert shown.body[1].value.contextual_alt_text == "Reading lamp"


@pytest.mark.parametrize("field", ["hero", "body"])
def test_an_image_that_a_page_shows_is_not_deleted(
    lamp, page, field, django_capture_on_commit_callbacks
):
    placement = publish(lamp)
    galleries.deliver_due()
    key = GALLERY.chooser_value(lamp, slot="hero")
    if field == "hero":
        page.hero_id = key
    else:
        page.body = json.dumps([{"type": "chosen", "value": key}])
    # Wagtail writes its index of references after the commit.
    with django_capture_on_commit_callbacks(execute=field == "body"):
        page.save()
    publishing.withdraw(placement, actor=None)
    galleries.deliver_due()
    row = GalleryDelivery.objects.get()
    assert row.state == "changed" and "is used by" in row.problem
    assert Image.objects.filter(pk=key).exists()
    page.hero, page.body = None, []
    with django_capture_on_commit_callbacks(execute=True):
        page.save()
    galleries.decide(row, "overwrite")
    galleries.deliver_due()
    assert not Image.objects.exists()


def test_what_an_editor_has_written_stays_and_where_it_was_put_is_not_a_change(lamp):
    publish(lamp)
    galleries.deliver_due()
    image = Image.objects.get()
    image.collection = Collection.get_first_root_node()
    image.tags.add("lamps")
    image.save()
    publish(lamp)
    galleries.deliver_due()
    assert state() == "delivered"
    image = Image.objects.get()
    assert image.collection.is_root() and image.tags.count() == 2
    image.title = "Our best lamp"
    image.save()
    publish(lamp)
    galleries.deliver_due()
    assert state() == "changed" and Image.objects.get().title == "Our best lamp"


def test_a_roll_back_leaves_the_library_as_it_was(lamp):
    Image.objects.create(title="By hand", file="by-hand.jpg", width=1, height=1)
    before = rows()
    publish(lamp)
    galleries.deliver_due()
    assert len(rows()) == 2
    publishing.roll_back(lamp, slot="hero", actor=None)
    galleries.deliver_due()
    assert rows() == before


def test_a_page_that_is_locked_and_in_moderation_is_left_as_it_is(lamp, page):
    publish(lamp)
    galleries.deliver_due()
    editor = User.objects.create_superuser("editor")
    page.hero_id = GALLERY.chooser_value(lamp, slot="hero")
    page.save()
    page.title = "A draft"
    page.save_revision(user=editor)
    task = GroupApprovalTask.objects.create(name="Moderators")
    workflow = Workflow.objects.create(name="Moderation")
    WorkflowTask.objects.create(workflow=workflow, task=task, sort_order=1)
    workflow.start(page, editor)
    LampPage.objects.update(locked=True, locked_by=editor)
    models = (Page, LampPage, Revision, WorkflowState, TaskState)

    def stored():
        return [list(model.objects.order_by("pk").values()) for model in models]

    before, old = stored(), Image.objects.get().file.name
    placement = publish(lamp)
    galleries.deliver_due()
    assert state() == "delivered" and LampPage.objects.get().hero.file.name != old
    assert stored() == before
    publishing.withdraw(placement, actor=None)
    galleries.deliver_due()
    row = GalleryDelivery.objects.get()
    assert row.state == "changed" and "is used by" in row.problem
    assert stored() == before


@pytest.mark.parametrize("may", [(), ("view_lamppage",)])
def test_only_a_page_that_the_editor_may_edit_is_planned(client, page, may):
    other = page.get_parent().add_child(instance=LampPage(title="Not theirs", slug="other"))
    group = Group.objects.create(name="Pictures")
    names = ("access_admin", "generate", *may)
    group.permissions.set(Permission.objects.filter(codename__in=names))
    change = Permission.objects.get(codename="change_page", content_type__app_label="wagtailcore")
    GroupPagePermission.objects.create(group=group, page=page, permission=change)
    editor = User.objects.create_user("editor")
    editor.groups.add(group)
    client.force_login(editor)

    @nb_catalog.register(LampPage)
    class PageSource(nb_catalog.CatalogSource):
        title_field = "title"
        photo_field = "photo__file"

    try:
        for name in ("generate", "photos", "texts"):
            url = reverse(f"nb_catalog_wagtail:nb_catalog_run_{name}")
            for each, status in ((page, 200), (other, 302)):
                response = client.get(url, {"model": "hostsite.lamppage", "key": each.pk})
                assert response.status_code == status, (name, each)
                assert status == 302 or response.context["chosen"].keys == (str(each.pk),)
    finally:
        registry.unregister(LampPage)
