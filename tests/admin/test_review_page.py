import re
from dataclasses import replace
from urllib.parse import parse_qsl, urlencode
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from nb_catalog import review, storage
from nb_catalog.admin import thumbnails
from nb_catalog.core.states import ImageState, JobState
from nb_catalog.core.types import Permission
from nb_catalog.models import Placement, Rendition, ReviewEvent
from nb_catalog.publishing import work_on_publications
from nb_catalog.storage import catalog_storage
from tests import factories

pytestmark = pytest.mark.django_db

REVIEW = "/admin/nb_catalog/productimage/review/"
DECIDE = "/admin/nb_catalog/productimage/review/decide/"
JSON = {"Accept": "application/json"}
# More than any test has.
MOST_PAGES = 10
BUTTON = re.compile(r'name="decision" value="([\w:]+)"')


def buttons(client, **query):
    return set(BUTTON.findall(client.get(REVIEW, query).content.decode()))


def shown(client, **query):
    page = client.get(REVIEW, query).content.decode()
    return [int(key) for key in re.findall(r'id="picture-(\d+)"', page)]


def press(client, verb, image, **fields):
    data = {f"{name}-{image.pk}": value for name, value in fields.items()}
    return client.post(DECIDE, {"decision": f"{verb}:{image.pk}", **data})


def press_with_javascript(client, verb, image, **fields):
    data = {f"{name}-{image.pk}": value for name, value in fields.items()}
    return client.post(DECIDE, {"decision": f"{verb}:{image.pk}", **data}, headers=JSON)


def state_of(image):
    image.refresh_from_db()
    return image.state


def said(answer):
    return [str(message) for message in answer.context["messages"]]


def test_pictures_stand_beside_their_products_own_photo(root):
    mug = factories.product(name="Tall mug")
    image = factories.image(mug)
    page = root.get(REVIEW).content.decode()
    assert "Tall mug" in page
    assert mug.packshot.url in page
    assert f'id="picture-{image.pk}"' in page


def test_only_pictures_to_review_are_shown_at_first(root):
    pending = factories.image()
    factories.image(state=ImageState.APPROVED)
    assert shown(root) == [pending.pk]


def test_surroundings_without_a_product_are_not_for_review(root):
    factories.image(kind="backdrop")
    assert shown(root) == []


def test_filters_narrow_down(root):
    run = factories.run()
    mug, poster = factories.product(), factories.poster()
    of_run = factories.image(mug, job=factories.job(mug, of=run, state=JobState.SUCCEEDED))
    factories.scene("oak")
    in_oak = factories.image(mug, scene="oak")
    of_poster = factories.image(poster)
    rejected = factories.image(state=ImageState.REJECTED)
    assert shown(root, run=run.pk) == [of_run.pk]
    assert shown(root, scene="oak") == [in_oak.pk]
    assert shown(root, model="testcatalog.poster") == [of_poster.pk]
    assert set(shown(root, model="testcatalog.mug", product=mug.pk)) == {of_run.pk, in_oak.pk}
    assert shown(root, state="rejected") == [rejected.pk]
    assert len(shown(root, state="all")) == 4
    assert shown(root, picture=rejected.pk) == [rejected.pk]


def test_a_filter_that_means_nothing_is_as_if_nothing_was_said(root):
    image = factories.image()
    assert shown(root, run="x", scene="nowhere", model="a.b", state="odd", after="x") == [image.pk]


IN_BULK = {"approve_chosen", "reject_chosen", "publish_chosen"}
MATRIX = [
    ((), set()),
    ((Permission.GENERATE,), set()),
    ((Permission.REVIEW,), {"approve", "reject", "approve_chosen", "reject_chosen"}),
    ((Permission.PUBLISH,), set()),
    ((Permission.REVIEW, Permission.PUBLISH), {"approve", "reject", "publish", *IN_BULK}),
]


@pytest.mark.parametrize(("permissions", "verbs"), MATRIX)
def test_buttons_for_a_pending_picture_follow_permissions(sign_in, permissions, verbs):
    factories.image()
    found = {button.partition(":")[0] for button in buttons(sign_in(*permissions))}
    assert found - {"comment"} == verbs
    assert ("comment" in found) == bool(permissions)


@pytest.mark.parametrize(
    ("permissions", "verbs"),
    [
        ((), set()),
        (
            (Permission.REVIEW,),
            {"retire", "reconsider", "approve_chosen", "reject_chosen", "reconsider_chosen"},
        ),
        ((Permission.PUBLISH,), {"publish"}),
        (
            (Permission.REVIEW, Permission.PUBLISH),
            {"retire", "reconsider", "publish", "reconsider_chosen", *IN_BULK},
        ),
    ],
)
def test_buttons_for_an_approved_picture_follow_permissions(sign_in, permissions, verbs):
    factories.image(state=ImageState.APPROVED)
    client = sign_in(*permissions)
    found = {button.partition(":")[0] for button in buttons(client, state="approved")}
    assert found - {"comment"} == verbs


@pytest.mark.parametrize("headers", [{}, JSON], ids=["form", "fetch"])
@pytest.mark.parametrize("verb", ["approve", "reject", "reconsider", "retire", "publish"])
def test_view_only_staff_decide_nothing(sign_in, verb, headers):
    image = factories.image()
    data = {"decision": f"{verb}:{image.pk}", f"slot-{image.pk}": "hero"}
    assert sign_in().post(DECIDE, data, headers=headers).status_code == 403
    assert state_of(image) == ImageState.PENDING
    assert not Placement.objects.exists()


def test_view_only_staff_approve_nothing_in_bulk(sign_in):
    image = factories.image()
    data = {"decision": "approve_chosen", "chosen": [image.pk]}
    assert sign_in(Permission.PUBLISH).post(DECIDE, data).status_code == 403
    assert state_of(image) == ImageState.PENDING


def test_reviewers_do_not_publish_and_publishers_do_not_judge(sign_in):
    approved, pending = factories.image(state=ImageState.APPROVED), factories.image()
    assert press(sign_in(Permission.REVIEW), "publish", approved, slot="hero").status_code == 403
    client = sign_in(Permission.PUBLISH)
    assert press(client, "approve", pending).status_code == 403
    answer = press_with_javascript(client, "publish", pending, slot="hero").json()
    assert answer["ok"] is False
    assert "not approved" in answer["message"]
    assert not Placement.objects.exists()


def test_without_the_view_permission_there_is_no_page(sign_in):
    image = factories.image()
    client = sign_in(Permission.REVIEW, Permission.PUBLISH, views=False)
    assert client.get(REVIEW).status_code == 403
    assert press(client, "approve", image).status_code == 403
    for name in (
        f"{image.pk}/{image.sha256[:16]}-320.webp",
        f"{image.pk}/{image.sha256[:16]}/original",
    ):
        assert client.get(f"/admin/nb_catalog/productimage/{name}").status_code == 403


def test_approving_without_javascript_comes_back_to_the_same_page(sign_in):
    image = factories.image()
    client = sign_in(Permission.REVIEW)
    data = {"decision": f"approve:{image.pk}", "back": "state=all&after=2"}
    answer = client.post(DECIDE, data)
    assert answer.url == f"{REVIEW}?state=all&after=2"
    assert state_of(image) == ImageState.APPROVED


def test_the_way_back_leads_nowhere_else(root):
    image = factories.image()
    data = {"decision": f"approve:{image.pk}", "back": "//evil.example/?a=1"}
    assert root.post(DECIDE, data).url.startswith(f"{REVIEW}?")


def test_a_rejection_keeps_its_note_and_offers_to_be_undone(sign_in):
    image = factories.image()
    client = sign_in(Permission.REVIEW)
    answer = press(client, "reject", image, note="Too dark")
    event = ReviewEvent.objects.get()
    assert (event.note, event.actor) == ("Too dark", client.user)
    page = client.get(answer.url)
    assert f"?picture={image.pk}" in said(page)[0]
    press(client, "reconsider", image)
    assert state_of(image) == ImageState.PENDING


def test_publishing_a_pending_picture_approves_it_in_the_same_step(root):
    image = factories.image()
    press(root, "publish", image, slot="gallery", locale="de", position="2")
    place = Placement.objects.get()
    assert (place.slot, place.locale, place.position) == ("gallery", "de", 1)
    assert (place.image, place.actor) == (image, root.user)
    assert state_of(image) == ImageState.APPROVED


def test_publishing_without_javascript_from_a_page_with_thumbnails_works(root):
    image = factories.image(state=ImageState.APPROVED, size=(700, 700))
    assert root.get(REVIEW, {"state": "approved"}).status_code == 200
    press(root, "publish", image, slot="hero")
    assert Placement.objects.get().picture_data["src"]


def test_a_slot_that_does_not_exist_is_told_and_the_approval_stays(root):
    image = factories.image()
    answer = press_with_javascript(root, "publish", image, slot="hiro").json()
    assert answer["level"] == "warning"
    assert "Did you mean" in answer["message"]
    assert state_of(image) == ImageState.APPROVED


def test_a_second_decision_loses_and_loses_nothing(root):
    image = factories.image()
    review.approve(image, actor=factories.superuser())
    answer = press_with_javascript(root, "reject", image, note="Crooked handle").json()
    assert answer["ok"] is False
    assert "Someone else was faster." in answer["message"]
    assert "Crooked handle" in answer["message"]
    assert "nbc-is-approved" in answer["card"]
    assert state_of(image) == ImageState.APPROVED
    assert ReviewEvent.objects.count() == 1


def test_a_conflict_without_javascript_is_a_message(root):
    image = factories.image(state=ImageState.REJECTED)
    page = root.get(press(root, "approve", image, note="Lovely").url)
    assert "Someone else was faster." in said(page)[0]
    assert "Lovely" in said(page)[0]


def test_a_published_picture_is_not_retired(root):
    image = factories.published().image
    answer = press_with_javascript(root, "retire", image).json()
    assert "is published (hero)" in answer["message"]
    assert state_of(image) == ImageState.APPROVED


def test_a_card_says_that_the_photo_was_too_small_for_the_size(root):
    report = {"requested": [2048, 2048], "made": [1024, 1024], "enlarged": 1.3}
    image = factories.image(factories.product())
    image.checks = {**image.checks, "small_photo": report}
    image.save()
    assert "the photo is too small for 2048 × 2048" in root.get(REVIEW).content.decode()


def test_a_card_says_that_a_product_is_too_wide_for_its_proportion(root):
    image = factories.image(factories.product())
    image.checks = {**image.checks, "proportion": {"requested": 0.5, "made": 0.412}}
    image.save()
    page = root.get(REVIEW).content.decode()
    assert "too wide for the frame: 41 % of the largest product, not 50 %" in page


def test_a_card_of_a_bundle_says_how_many_products_it_shows(root):
    image = factories.image(factories.product())
    places = [{"box": [1, 2, 3, 4], "covered": 0.0}, {"box": [2, 2, 3, 4], "covered": 0.214}]
    image.checks = {**image.checks, "parts": places}
    image.save()
    page = root.get(REVIEW).content.decode()
    assert "2 products, at most 21 % of one hidden" in page and "covered" not in page


def test_a_card_says_how_far_the_scene_s_light_changed_the_product(root):
    image = factories.image(factories.product())
    assert "Relit" not in root.get(REVIEW).content.decode()
    shift = {"median": 2.06, "colour_median": 0.84, "p95": 7.51, "ncc": 0.9975}
    image.checks = {**image.checks, "relit": shift}
    image.save()
    page = root.get(REVIEW).content.decode()
    assert "changed the product by 2.1 (CIEDE2000, median), 0.8 of it by colour alone" in page
    assert "by less than 7.5. Fine detail: 99.8 %" in page
    assert "colour_median" not in page


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("en", "no second opinion by OCR: Tesseract’s data “deu” is not installed."),
        ("de", "keine zweite Meinung durch OCR: Die Tesseract-Daten „deu“ sind nicht installiert."),
        (
            "fr",
            "pas de second avis par OCR : les données « deu » de Tesseract ne sont pas installées.",
        ),
    ],
)
def test_a_card_says_why_there_is_no_second_opinion(root, language, said):
    image = factories.image(factories.product())
    missing = {"code": "data_missing", "detail": "deu"}
    image.checks = {**image.checks, "text_read_missing": missing}
    image.save()
    page = root.get(REVIEW, headers={"accept-language": language}).content.decode()
    assert said in page


def test_a_card_says_that_the_photo_of_the_place_was_too_small(root):
    report = {"requested": [2048, 2048], "made": [1024, 1024], "enlarged": 1.3}
    image = factories.image(factories.product())
    image.checks = {**image.checks, "small_backdrop": report}
    image.save()
    told = root.get(REVIEW).content.decode()
    assert "the photo of the place is too small for 2048 × 2048" in told


def test_with_javascript_the_answer_brings_the_card_and_the_undo(root):
    image = factories.image()
    answer = press_with_javascript(root, "reject", image).json()
    assert answer["undo"] == "reconsider"
    assert f"reconsider:{image.pk}" in answer["card"]
    assert "csrfmiddlewaretoken" not in answer["card"]


def test_a_publication_is_taken_back(root):
    mug = factories.product()
    before = factories.published(mug).image
    image = factories.image(mug)
    answer = press_with_javascript(root, "publish", image, slot="hero").json()
    assert answer["undo"] == "roll_back"
    answer = press_with_javascript(root, "roll_back", image, **answer["place"]).json()
    assert answer["ok"] is True
    assert Placement.objects.get().image == before


def test_nobody_elses_publication_is_taken_back(root):
    mug = factories.product()
    first = factories.published(mug).image
    second = factories.published(mug).image
    answer = press_with_javascript(root, "roll_back", first, slot="hero").json()
    assert "Another picture is published there now" in answer["message"]
    assert Placement.objects.get().image == second


def test_a_publication_of_a_deleted_product_is_not_taken_back(root):
    mug = factories.product()
    image = factories.published(mug).image
    mug.delete()
    answer = press_with_javascript(root, "roll_back", image, slot="hero").json()
    assert "The product was deleted" in answer["message"]
    assert Placement.objects.get().image == image


def test_taking_back_needs_the_permission_to_publish(sign_in):
    image = factories.published().image
    answer = press(sign_in(Permission.REVIEW), "roll_back", image, slot="hero")
    assert answer.status_code == 403
    assert Placement.objects.exists()


def test_without_javascript_a_publication_leads_to_the_way_back(root):
    image = factories.image()
    page = root.get(press(root, "publish", image, slot="hero").url)
    assert f"/placement/?q={image.object_id}" in said(page)[0]


def test_ticked_pictures_are_approved_and_the_others_told(root):
    images = [factories.image() for _ in range(3)]
    review.reject(images[1], actor=None)
    keys = [image.pk for image in images]
    page = root.get(root.post(DECIDE, {"decision": "approve_chosen", "chosen": keys}).url)
    assert f"Cannot approve picture {images[1].pk}" in said(page)[0]
    assert said(page)[1].startswith("2 pictures approved. <a ")


def test_ticked_pictures_are_published_each_to_its_own_place(root, settings):
    settings.LANGUAGES = [("en", "English"), ("de", "German")]
    images = [factories.image(), factories.image(locale="de"), factories.image()]
    review.reject(images[2], actor=None)
    data = {"decision": "publish_chosen", "chosen": [image.pk for image in images]}
    for image, slot in zip(images, ("hero", "social", "hero"), strict=True):
        data |= {f"slot-{image.pk}": slot, f"locale-{image.pk}": image.locale}
    page = root.get(root.post(DECIDE, data).url)
    assert not Rendition.objects.exists() and not Placement.objects.exists()
    sentence = "2 pictures are published once their files for web pages are made."
    assert any(each.startswith(sentence) for each in said(page))
    work_on_publications()
    places = set(Placement.objects.values_list("image", "slot", "locale"))
    assert places == {(images[0].pk, "hero", ""), (images[1].pk, "social", "de")}
    assert any("is not approved" in each for each in said(page))


def test_what_was_published_in_bulk_is_undone_together(root):
    mugs = [factories.product() for _ in range(2)]
    former = factories.published(mugs[0], slot="hero").image
    images = [factories.image(mugs[0]), factories.image(mugs[1], state=ImageState.APPROVED)]
    data = {"decision": "publish_chosen", "chosen": [image.pk for image in images]}
    data |= {f"slot-{image.pk}": "hero" for image in images}
    undo_in_bulk(root, root.post(DECIDE, data, follow=True))
    assert Placement.objects.get().image == former
    assert [state_of(image) for image in images] == ["pending", "approved"]


def test_pictures_that_the_script_sends_together_wait_for_their_files_and_are_undone(root):
    images = [factories.image(factories.product(photo=False)) for _ in range(2)]
    batch = str(uuid4())
    sent = [
        {"id": str(uuid4()), "image": each.pk, "verb": "publish", "slot": "hero", "batch": batch}
        for each in images
    ]

    def send(*entries):
        body = {"sent": entries}
        answer = root.post(REVIEW + "send/", body, content_type="application/json")
        return [each["outcome"] for each in answer.json()["results"]]

    assert send(*sent) == ["waiting"] * 2
    assert not Rendition.objects.exists() and not Placement.objects.exists()
    assert send({"id": str(uuid4()), "verb": "undo_batch", "undoes": batch}) == ["done"]
    work_on_publications()
    assert not Placement.objects.exists()
    assert [state_of(each) for each in images] == ["pending"] * 2


def undo_in_bulk(client, page):
    """Follow the link to undo and press the button there, without JavaScript."""
    (url,) = re.findall(r'<a href="([^"]*)">Undo', page.content.decode())
    page = client.get(url.replace("&amp;", "&")).content.decode()
    (value,) = re.findall(r'name="decision" value="(undo_batch:[^"]+)"', page)
    assert client.post(DECIDE, {"decision": value}).status_code == 302
    return page


def test_nobody_publishes_in_bulk_without_permission(sign_in):
    image = factories.image()
    data = {"decision": "publish_chosen", "chosen": [image.pk], f"slot-{image.pk}": "hero"}
    assert sign_in(Permission.REVIEW).post(DECIDE, data).status_code == 403
    assert state_of(image) == ImageState.PENDING


def test_a_successor_is_offered_the_place_of_the_picture_before(root):
    mug = factories.product()
    asked = factories.spec(mug)
    factories.published(mug, slot="social", position=2, asked=asked)
    image = factories.image(mug, asked=replace(asked, photo="another.png"))
    page = root.get(REVIEW).content.decode()
    assert "Replaces picture" in page and "out of date" not in page
    assert '<option value="social" selected>' in page
    assert f'id="position-{image.pk}" value="3"' in page
    Placement.objects.update(stale_since=timezone.now())
    assert "in social 3, which is out of date." in root.get(REVIEW).content.decode()


def test_surroundings_without_a_product_are_not_approved_in_bulk(root):
    ground = factories.image(kind="backdrop")
    root.post(DECIDE, {"decision": "approve_chosen", "chosen": [ground.pk]})
    assert state_of(ground) == ImageState.PENDING


def test_numbers_that_nobody_types_break_nothing(root):
    image = factories.image(state=ImageState.APPROVED)
    assert root.get(REVIEW, {"run": "9" * 5000}).status_code == 200
    assert press(root, "publish", image, slot="hero", position="9" * 5000).status_code == 302
    assert Placement.objects.get().position == 1000


@pytest.mark.parametrize(
    "decision", ["", "approve", "delete:1", "approve:x", "approve:99999", f"approve:{9**30}"]
)
def test_a_decision_that_makes_no_sense_is_not_found(root, decision):
    assert root.post(DECIDE, {"decision": decision}).status_code == 404


def test_notes_are_shown_as_text(root):
    image = factories.image(state=ImageState.REJECTED)
    answer = press(root, "approve", image, note="<script>alert(1)</script>")
    assert "<script>alert(1)" not in root.get(answer.url).content.decode()


def test_any_number_of_candidates_costs_the_same_queries(root):
    def queries():
        with CaptureQueriesContext(connection) as captured:
            root.get(REVIEW)
        return len(captured)

    factories.image(factories.product())
    queries()
    few = queries()
    for _ in range(10):
        factories.image(factories.product())
        factories.published(factories.product(), size=(40, 40))
    assert queries() == few


def links(page):
    return dict(re.findall(r'<a href="\?([^"]*)" rel="(next|prev)"', page.replace("&amp;", "&")))


def pages_of(client, **query):
    """The keys of each page, by following the link to more pictures."""
    pages, query = [], urlencode(query)
    while query is not None:
        assert len(pages) < MOST_PAGES, "the links lead in a circle"
        pages.append(shown(client, **dict(parse_qsl(query))))
        found = links(client.get(f"{REVIEW}?{query}").content.decode())
        query = next((query for query, rel in found.items() if rel == "next"), None)
    return pages


def test_the_queue_is_walked_forward_and_back_and_keeps_the_filter(root):
    mugs = [factories.product(photo=False) for _ in range(3)]
    keys = [
        factories.image(mugs[number % 3], scene=f"scene-{number % 2}").pk for number in range(53)
    ]
    pages = pages_of(root, model="testcatalog.mug")
    assert [len(page) for page in pages] == [24, 24, 5]
    assert sorted(sum(pages, [])) == sorted(keys)
    last = root.get(REVIEW, {"model": "testcatalog.mug", "after": pages[1][-1]}).content.decode()
    (back,) = links(last)
    assert dict(parse_qsl(back)) == {"model": "testcatalog.mug", "before": str(pages[2][0])}
    assert shown(root, **dict(parse_qsl(back))) == pages[1]


def test_deciding_a_whole_page_skips_none_of_the_next(root):
    """Paged by offset, the 24 decided pictures would hide 24 others."""
    mug = factories.product(photo=False)
    keys = [factories.image(mug).pk for _ in range(60)]
    seen, query = [], {}
    while page := shown(root, **query):
        seen += page
        assert len(seen) <= len(keys), "pictures are shown again"
        root.post(DECIDE, {"decision": "approve_chosen", "chosen": page})
        query = {"after": page[-1]}
    assert seen == keys


def test_the_count_goes_down_with_every_decision(root):
    first, _second = factories.image(), factories.image()
    assert "2 pictures" in root.get(REVIEW).content.decode()
    data = {"decision": f"approve:{first.pk}", "back": ""}
    assert root.post(DECIDE, data, headers=JSON).json()["found"] == "1 picture"


@pytest.mark.parametrize(
    ("state", "verb", "undo"),
    [
        ("pending", "approve", "reconsider"),
        ("pending", "reject", "reconsider"),
        ("approved", "reconsider", "approve"),
        ("rejected", "reconsider", "reject"),
        ("approved", "retire", "restore"),
        ("retired", "restore", "retire"),
    ],
)
def test_every_decision_can_be_undone(root, state, verb, undo):
    image = factories.image(state=state)
    answer = root.post(DECIDE, {"decision": f"{verb}:{image.pk}"}, headers=JSON).json()
    assert answer["ok"] and answer["undo"] == undo and state_of(image) != state
    assert root.post(DECIDE, {"decision": f"{undo}:{image.pk}"}, headers=JSON).json()["ok"]
    assert state_of(image) == state


def test_a_published_picture_does_not_go_back_to_review(root):
    placement = factories.published()
    data = {"decision": f"reconsider:{placement.image_id}"}
    answer = root.post(DECIDE, data, headers=JSON).json()
    assert not answer["ok"] and "is published" in answer["message"]


@pytest.mark.parametrize("verb", ["approve", "reject"])
def test_a_decision_about_several_is_undone_at_once_without_javascript(root, verb):
    images = [factories.image() for _ in range(3)]
    approved = factories.image(state=ImageState.APPROVED)
    other = factories.image(state=ImageState.APPROVED)
    chosen = {image.pk: image.state for image in [*images, approved]}
    data = {"decision": f"{verb}_chosen", "chosen": list(chosen)}
    data |= {f"seen-{pk}": state for pk, state in chosen.items()}
    page = root.post(DECIDE, data, follow=True)
    assert {state_of(image) for image in images} == {f"{verb.removesuffix('e')}ed"}
    shown_now = undo_in_bulk(root, page)
    assert f'value="{other.pk}"' not in shown_now
    assert {state_of(image) for image in images} == {"pending"}
    assert [state_of(approved), state_of(other)] == [ImageState.APPROVED] * 2


def test_previews_are_small_cached_and_carry_the_mark_of_their_origin(root):
    image = factories.image(size=(900, 900))
    answer = root.get(f"/admin/nb_catalog/productimage/{image.pk}/{image.sha256[:16]}-320.webp")
    assert answer["Content-Type"] == "image/webp"
    assert answer["Cache-Control"] == thumbnails.FOREVER
    assert b"compositeWithTrainedAlgorithmicMedia" in answer.content


def test_widths_that_nobody_asked_for_are_not_made(root):
    image = factories.image()
    url = f"/admin/nb_catalog/productimage/{image.pk}/{image.sha256[:16]}-5000.webp"
    assert root.get(url).status_code == 404


def test_an_original_is_byte_identical(root):
    image = factories.image()
    url = f"/admin/nb_catalog/productimage/{image.pk}/{image.sha256[:16]}/original"
    answer = root.get(url)
    assert answer.content == storage.read(image.file.name)
    assert answer["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize("name", ["original", "960.webp"])
def test_a_picture_that_its_storage_does_not_give_is_not_found(root, monkeypatch, name):
    image = factories.image()

    def broken(*_args):
        raise PermissionError

    monkeypatch.setattr(type(catalog_storage()), "open", broken)
    mark = "/" if name == "original" else "-"
    url = f"/admin/nb_catalog/productimage/{image.pk}/{image.sha256[:16]}{mark}{name}"
    assert root.get(url).status_code == 404


def test_a_rendition_is_shown_where_there_is_one(root):
    image = factories.published(size=(1000, 1000)).image
    page = root.get(REVIEW, {"state": "approved"}).content.decode()
    assert image.renditions.filter(format="webp", width=960).get().url in page
    assert f"{image.sha256[:16]}-960.webp" not in page
