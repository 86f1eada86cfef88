"""The page on which a picture is edited."""

from io import BytesIO

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from PIL import Image

from nb_catalog import review, storage, worker
from nb_catalog.core.types import Permission
from nb_catalog.models import ProductImage, Run
from nb_catalog.testing.scripted import Script
from tests import factories

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def script(settings):
    script = Script()
    settings.NB_CATALOG = {
        **settings.NB_CATALOG,
        "PROVIDERS": {"paid": script.as_setting()},
        "TIERS": {
            "draft": {"PROVIDER": "paid", "MODEL": "gemini-nano-banana-2.1", "SIZE": "1K"},
            "local": {"PROVIDER": "local", "MODEL": "local-studio", "SIZE": "1K"},
        },
    }
    return script


@pytest.fixture
def image():
    mug = factories.product(name="Mug", photo=factories.photo_bytes((300, 300)))
    return factories.image(
        mug,
        size=(300, 300),
        data=factories.photo_bytes((300, 300)),
        asked=factories.spec(mug, photo=mug.packshot.name, ratio="1:1"),
    )


def url(name, image):
    return reverse(f"admin:nb_catalog_productimage_{name}", args=[image.pk])


def asked(**fields):
    values = {"instruction": "Warmer light", "tier": "draft", "candidates": "1", "mode": "direct"}
    return {f"ask-{name}": value for name, value in (values | fields).items()}


def adjusted(**fields):
    return {f"adjust-{name}": value for name, value in ({"area": "all"} | fields).items()}


@pytest.fixture
def editor(client):
    client.force_login(factories.staff(Permission.GENERATE, Permission.REVIEW))
    return client


def test_the_page_has_prices_and_the_history(editor, image):
    page = editor.get(url("edit", image)).content.decode()
    assert "In words" in page and "Without a model, free of charge" in page
    assert 'data-price="0.0' in page and ">draft ·" in page and ">local ·" not in page
    assert "the picture as it was made" in page and 'aria-current="step"' in page


def test_an_instruction_becomes_a_picture_in_the_history(editor, image, script):
    answer = editor.post(url("edit_ask", image), asked(candidates="2"), follow=True)
    assert "2 pictures are being made." in answer.content.decode()
    assert "data-pending" in answer.content.decode()
    worker.drain()
    page = editor.get(url("edit", image)).content.decode()
    assert "data-pending" not in page and page.count("“Warmer light”") == 2
    child = ProductImage.objects.filter(parent=image).first()
    branch = editor.get(url("edit", child)).content.decode()
    assert "Undo this step" in branch and f"from {image.pk}" in branch
    again = editor.post(url("edit_ask", image), asked(candidates="2"), follow=True)
    assert "made already" in again.content.decode() and script.count == 2


def test_a_mask_comes_with_the_form_and_a_script_is_told_where_to_go(editor, image, script):
    mask = SimpleUploadedFile("mask.png", factories.mask_bytes((300, 300), box=(0, 0, 299, 20)))
    answer = editor.post(
        url("edit_ask", image), asked(mask=mask), headers={"accept": "application/json"}
    )
    assert answer.json() == {"url": url("edit", image)}
    worker.drain()
    assert [each.role for each in script.requests[0].references] == ["parent", "product", "area"]
    small = SimpleUploadedFile("mask.png", factories.mask_bytes((30, 30)))
    answer = editor.post(
        url("edit_ask", image), asked(mask=small), headers={"accept": "application/json"}
    )
    assert answer.status_code == 422 and "30 × 30 pixels" in answer.json()["message"]


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"instruction": ""}, "Say what is to change"),
        ({"instruction": "x" * 10_000}, "at most 1,000"),
        ({"tier": "local"}, "Select a valid choice"),
        ({"candidates": "9"}, "Select a valid choice"),
        ({"budget_usd": "-1"}, "greater than or equal to 0"),
    ],
)
def test_what_is_wrong_is_said_and_what_was_typed_stays(editor, image, fields, says):
    answer = editor.post(url("edit_ask", image), asked(**fields))
    page = answer.content.decode()
    assert answer.status_code == 422 and says in page
    assert not Run.objects.exists()
    if "tier" in fields:
        assert "Warmer light</textarea>" in page


def test_adjustments_are_made_in_their_order(editor, image):
    fields = adjusted(crop="4:5", exposure="0.3", straighten="2", width="200")
    editor.post(url("edit_adjust", image), fields)
    worker.drain()
    child = ProductImage.objects.get(parent=image)
    kinds = [each["kind"] for each in child.spec["edit"]["adjustments"]]
    assert kinds == ["straighten", "crop", "exposure", "resize"]
    page = editor.get(url("edit", child)).content.decode()
    assert "straightened by 2°, cropped to 4:5, exposure 0.3, 200 pixels wide" in page
    empty = editor.post(url("edit_adjust", image), adjusted())
    assert empty.status_code == 422 and "nothing to adjust" in empty.content.decode()


def test_a_preview_is_a_picture_or_a_sentence_and_stores_nothing(editor, image):
    answer = editor.post(url("edit_preview", image), adjusted(crop="4:5"))
    with Image.open(BytesIO(answer.content)) as made:
        assert made.size == (240, 300)
    assert "no-store" in answer["Cache-Control"]
    answer = editor.post(url("edit_preview", image), adjusted(extend="16:9"))
    assert answer.status_code == 422 and "local renderer" in answer.json()["message"]
    answer = editor.post(url("edit_preview", image), adjusted(width="x"))
    assert answer.status_code == 422 and "whole number" in answer.json()["message"]
    assert not Run.objects.exists() and ProductImage.objects.count() == 1


def test_undo_goes_back_and_rejects_what_nobody_has_decided(editor, image):
    editor.post(url("edit_adjust", image), adjusted(crop="4:5"))
    worker.drain()
    child = ProductImage.objects.get(parent=image)
    answer = editor.post(url("edit_undo", child))
    child.refresh_from_db()
    assert answer.url == url("edit", image) and child.state == "rejected"
    assert "Picture" in editor.get(url("edit", image)).content.decode()
    # A decision of somebody else stands.
    editor.post(url("edit_adjust", image), adjusted(crop="2:3"))
    worker.drain()
    other = ProductImage.objects.filter(parent=image).order_by("pk").last()
    review.approve(other, actor=None)
    assert editor.post(url("edit_undo", other)).url == url("edit", image)
    other.refresh_from_db()
    assert other.state == "approved"
    assert editor.post(url("edit_undo", image)).url == url("edit", image)


def test_a_failure_is_shown_with_its_reason(editor, image):
    editor.post(url("edit_adjust", image), adjusted(crop="4:5"))
    storage.catalog_storage().delete(image.file.name)
    worker.drain()
    page = editor.get(url("edit", image)).content.decode()
    assert "The last edit of this picture failed:" in page and "not in the storage" in page
    run = editor.get(reverse("admin:nb_catalog_run_change", args=[Run.objects.get().pk]))
    assert "edit of a picture · " in run.content.decode()
    # Nothing can be edited any more, which is said first.
    assert "no longer exists, so it cannot be edited" in page and "nbc-adjust" not in page


def test_a_picture_with_typeset_text_leads_to_the_one_below(editor, image):
    text = factories.image(
        image.catalog_object,
        parent=image,
        locale="en",
        asked=factories.spec(image.catalog_object, base=image.sha256, prompt="", locale="en"),
    )
    page = editor.get(url("edit", text)).content.decode()
    assert "is typeset. Edit the picture below it" in page and url("edit", image) in page


def test_only_who_may_generate_edits(client, image):
    client.force_login(factories.staff(Permission.REVIEW))
    page = client.get(url("edit", image))
    assert page.status_code == 200 and "nbc-ask" not in page.content.decode().split("<aside")[0]
    for name in ("edit_ask", "edit_adjust", "edit_preview", "edit_undo", "edit_texts"):
        assert client.post(url(name, image)).status_code == 403
    client.force_login(factories.staff(Permission.GENERATE, views=False))
    assert client.get(url("edit", image)).status_code == 403


def test_a_long_history_takes_as_many_queries_as_a_short_one(
    editor, image, django_assert_max_num_queries
):
    parent = image
    for number in range(30):
        edit = {"parent": parent.sha256, "instruction": f"Step {number}"}
        parent = factories.image(
            image.catalog_object,
            parent=parent,
            asked=factories.spec(image.catalog_object, edit=edit),
        )
    with django_assert_max_num_queries(30):
        page = editor.get(url("edit", parent)).content.decode()
    assert page.count("nbc-step-words") == 31 and "“Step 29”" in page


def test_the_card_says_that_a_picture_was_edited_and_links_here(editor, image):
    editor.post(url("edit_adjust", image), adjusted(crop="4:5"))
    worker.drain()
    page = editor.get(reverse("admin:nb_catalog_productimage_review")).content.decode()
    assert url("edit", image) in page and "· edited" in page
