"""Edits that go on from a session which Google stores: what is sent and paid, and what happens without."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.urls import reverse

from nb_catalog import generation, worker
from nb_catalog.exceptions import PlanRefused
from nb_catalog.models import ProductImage, ProviderCall
from nb_catalog.testing.gemini import GeminiServer, error
from tests import factories
from tests.worker.conftest import money_is_sound

pytestmark = pytest.mark.django_db(transaction=True)

MODEL = "gemini-3.1-flash-lite-image"


@pytest.fixture
def server():
    with GeminiServer(keys={"key-1", "key-2"}, unique=True) as running:
        yield running


def configure(settings, server, *, key="key-1", model=MODEL, **options):
    gemini = {"api_key": key, "base_url": server.url, "stored_sessions": True, **options}
    settings.NB_CATALOG = {
        **settings.NB_CATALOG,
        "PROVIDERS": {"gemini": {
            "BACKEND": "nb_catalog.providers.gemini.GeminiProvider", "OPTIONS": gemini,
        }},
        "TIERS": {"draft": {"PROVIDER": "gemini", "MODEL": model, "SIZE": "1K"}},
    }  # fmt: skip


@pytest.fixture(autouse=True)
def sessions(settings, server):
    configure(settings, server)


@pytest.fixture
def image():
    mug = factories.product(photo=factories.photo_bytes((300, 300)))
    return factories.image(
        mug,
        size=(300, 300),
        data=factories.photo_bytes((300, 300), ground="#d8c8b0"),
        asked=factories.spec(
            mug,
            photo=mug.packshot.name,
            ratio="1:1",
            treatment="painted",
            provider="gemini",
            model=MODEL,
        ),
    )


def way(image, instruction="Warmer light", **options):
    """What the plan says about the session."""
    plan = generation.plan_edit(image, instruction, session=True, **options)
    [sentence] = [each for each in plan.summary().warnings if "session" in each]
    return sentence


def edited(image, instruction, *, session=True, **options):
    run = generation.start_run(generation.plan_edit(image, instruction, session=session, **options))
    worker.drain()
    assert {(job.state, job.error) for job in run.jobs.all()} == {("succeeded", "")}
    return ProductImage.objects.get(job__run=run, kind="picture")


def sent(server):
    """The bodies that the server got, the last one last."""
    return [each.body for each in server.received]


def kinds(body):
    return [each["type"] for each in body["input"]]


def id_of(image):
    return image.checks["session"]["id"]


def paid_usd():
    return sum(
        (
            Decimal(each) / 1_000_000
            for each in ProviderCall.objects.values_list("cost_microusd", flat=True)
        ),
        Decimal(0),
    )


def test_nothing_is_stored_without_being_asked_for(image, server):
    child = edited(image, "Warmer light", session=False)
    [body] = sent(server)
    assert body["store"] is False and "contents" in body and "session" not in child.checks


def test_a_chain_sends_the_instruction_and_the_photo_and_names_the_step_before(image, server):
    assert "A new session" in way(image) and "was not made in one" in way(image)
    first = edited(image, "Warmer light")
    assert f"Goes on from the stored session of picture {first.pk}" in way(first, "A napkin")
    second = edited(first, "A linen napkin")
    begun, continued = sent(server)
    assert kinds(begun) == ["text", "image", "image"] and begun["store"] is True
    assert "previous_interaction_id" not in begun
    assert "first image is a product photograph" in begun["input"][0]["text"]
    # The photo is the second image of the first request and the first of the next one.
    assert kinds(continued) == ["text", "image"] and continued["store"] is True
    assert continued["input"][1] == begun["input"][2]
    assert continued["previous_interaction_id"] == id_of(first) != id_of(second)
    words = continued["input"][0]["text"]
    assert "A linen napkin." in words and "Warmer light" not in words
    assert "first image is the shop's own photo" in words
    assert continued["response_format"] == begun["response_format"]
    assert second.parent == first
    assert ProviderCall.objects.filter(request_id=id_of(second)).count() == 1
    # What Google reports is what is paid: the conversation is input again.
    assert paid_usd() == server.request_log.billed_usd and money_is_sound() > 0
    tokens = list(ProviderCall.objects.order_by("pk").values_list("usage__prompt", flat=True))
    assert tokens[1] > tokens[0]


def test_a_long_session_costs_no_more_than_was_planned_and_ends(image, server, monkeypatch):
    monkeypatch.setattr("nb_catalog.generation.edit_sessions.MOST_STEPS", 4)
    step, prices = image, []
    for number in range(5):
        plan = generation.plan_edit(step, f"Step {number}", session=True)
        prices.append(plan.summary().price_usd)
        step = edited(step, f"Step {number}")
    assert prices[0] < prices[1] < prices[2] < prices[3] and prices[4] == prices[0]
    for call in ProviderCall.objects.all():
        assert 0 < call.cost_microusd <= call.estimate_microusd
    assert ["previous_interaction_id" in body for body in sent(server)] == [
        False,
        *[True] * 3,
        False,
    ]


def test_a_branch_goes_on_from_the_picture_it_was_made_from(image, server):
    first = edited(image, "Warmer light")
    edited(first, "A linen napkin")
    branch = edited(first, "A wooden spoon")
    assert sent(server)[-1]["previous_interaction_id"] == id_of(first)
    third = edited(branch, "Softer shadows")
    assert sent(server)[-1]["previous_interaction_id"] == id_of(branch) and third.parent == branch


@pytest.mark.parametrize("cause", ["expired", "another key", "refused"])
def test_a_session_that_is_gone_is_paid_for_once(image, server, settings, cause):
    first = edited(image, "Warmer light")
    price = generation.plan_edit(first, "A napkin", session=True).summary().price_usd
    if cause == "expired":
        server.pass_time(hours=56 * 24)
    elif cause == "another key":
        configure(settings, server, key="key-2")
    else:
        server.script_for(
            "interactions.create",
            error(400, "INVALID_ARGUMENT", "Previous interaction is not completed."),
        )
    before = server.request_log.billed_usd
    second = edited(first, "A linen napkin")
    continued, whole = sent(server)[-2:]
    assert continued["previous_interaction_id"] == id_of(first)
    assert "previous_interaction_id" not in whole and kinds(whole) == ["text", "image", "image"]
    assert (
        "These edits were made before and stay as they are: Warmer light."
        in whole["input"][0]["text"]
    )
    assert ProviderCall.objects.count() == 2 and paid_usd() == server.request_log.billed_usd
    assert server.request_log.billed_usd - before <= price and money_is_sound() > 0
    # And from here it goes on again.
    assert "Goes on from" in way(second)


def test_a_key_that_is_wrong_is_not_taken_for_a_session_that_is_gone(image, server, settings):
    first = edited(image, "Warmer light")
    configure(settings, server, key="wrong")
    run = generation.start_run(generation.plan_edit(first, "A napkin", session=True))
    worker.drain()
    assert run.jobs.get().state != "succeeded" and paid_usd() == server.request_log.billed_usd


def test_a_masked_step_is_merged_and_the_next_one_begins_anew(image, server):
    first = edited(image, "Warmer light")
    mask = factories.mask_bytes((first.width, first.height), box=(0, 0, first.width - 1, 90))
    second = edited(first, "A red ceiling", mask=mask)
    body = sent(server)[-1]
    assert kinds(body) == ["text", "image", "image"] and body["previous_interaction_id"] == id_of(
        first
    )
    assert "second image is a mask" in body["input"][0]["text"]
    # Google's own picture is not the merged one.
    assert "put back after the model's answer" in way(second)
    edited(second, "A napkin")
    assert "previous_interaction_id" not in sent(server)[-1]


def test_another_model_and_an_old_picture_begin_anew(image, server, settings):
    first = edited(image, "Warmer light")
    configure(settings, server, model="gemini-nano-banana-2.1")
    assert "was made by another model" in way(first)
    configure(settings, server)
    ProductImage.objects.filter(pk=first.pk).update(
        created_at=first.created_at - timedelta(days=56)
    )
    first.refresh_from_db()
    assert "no longer stored" in way(first)


def test_the_same_edit_is_the_same_picture_whichever_way_it_is_requested(image, server):
    child = edited(image, "Warmer light")
    [item] = generation.plan_edit(image, "Warmer light").items()
    assert (item.status, item.fingerprint) == ("present", child.fingerprint)
    [item] = generation.plan_edit(image, "Warmer light", session=True).items()
    assert item.status == "present"


def test_where_sessions_are_not_allowed_none_is_stored(image, server, settings):
    configure(settings, server, stored_sessions=False)
    with pytest.raises(PlanRefused, match="stores no sessions"):
        generation.plan_edit(image, "Warmer light", session=True)
    configure(settings, server)
    with pytest.raises(PlanRefused, match="cannot wait for a batch"):
        generation.plan_edit(image, "Warmer light", session=True, mode="batch")
    # Allowed when it was started, and not any more when it is sent.
    run = generation.start_run(generation.plan_edit(image, "Warmer light", session=True))
    configure(settings, server, stored_sessions=False)
    worker.drain()
    assert run.jobs.get().state == "succeeded"
    [body] = sent(server)
    assert body["store"] is False and "contents" in body


def test_the_request_can_be_seen_before_it_is_sent(image, server):
    first = edited(image, "Warmer light")
    [preview] = generation.preview_requests(generation.plan_edit(first, "A napkin", session=True))
    assert preview.body["previous_interaction_id"] == id_of(first) and not preview.problem
    assert "bytes" in preview.body["input"][1]["data"]


def test_the_page_and_the_api_offer_sessions_with_their_price(image, server, client, settings):
    first = edited(image, "Warmer light")
    client.force_login(factories.superuser())
    page = reverse("admin:nb_catalog_productimage_edit", args=[first.pk])
    shown = client.get(page).content.decode()
    assert "In a session that the service stores" in shown
    assert f"Goes on from the stored session of picture {first.pk}" in shown
    [tier] = client.get(page).context["asked"].tiers
    plan = generation.plan_edit(first, "A napkin", session=True)
    assert Decimal(tier.session_usd) == plan.price_each_usd > Decimal(tier.price_usd)
    ask = reverse("admin:nb_catalog_productimage_edit_ask", args=[first.pk])
    form = {
        "instruction": "A napkin",
        "tier": "draft",
        "candidates": "1",
        "mode": "direct",
        "session": "on",
    }
    client.post(ask, {f"ask-{name}": value for name, value in form.items()})
    worker.drain()
    assert sent(server)[-1]["previous_interaction_id"] == id_of(first)
    body = {"instruction": "A spoon", "session": True}
    address = f"/api/catalog-images/images/{first.pk}"
    planned = client.post(f"{address}/plan-edit/", body, content_type="application/json").json()
    assert Decimal(planned["price_usd"]) == plan.price_each_usd
    assert any("Goes on from" in each["warning"] for each in planned["warnings"])
    started = client.post(f"{address}/edit/", body, content_type="application/json")
    worker.drain()
    assert started.status_code == 201
    assert sent(server)[-1]["previous_interaction_id"] == id_of(first)
    configure(settings, server, stored_sessions=False)
    assert "In a session" not in client.get(page).content.decode()
