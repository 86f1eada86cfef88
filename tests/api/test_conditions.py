"""Changes under ``If-Match``: of two with one tag, one is made; and what was carried out is not refused."""

import threading
from contextlib import suppress
from datetime import timedelta

import pytest
from django.db import connections
from django.utils import timezone

from nb_catalog import webhooks
from nb_catalog.api.views import CatalogViewSet
from nb_catalog.core.states import ImageState, JobState
from nb_catalog.core.types import Permission
from nb_catalog.models import WebhookEndpoint
from nb_catalog.publishing import publications
from tests import factories

CHANGE_ENDPOINT = ("nb_catalog.view_webhookendpoint", "nb_catalog.change_webhookendpoint")


@pytest.fixture
def at_once(monkeypatch):
    """Send requests at the same time: none writes before all have read, unless one waits for the other."""

    def send(*requests):
        everybody, answers = threading.Barrier(len(requests)), []
        validated = CatalogViewSet.validated_body

        def body(view):
            with suppress(threading.BrokenBarrierError):
                everybody.wait(timeout=0.5)
            return validated(view)

        def run(request):
            try:
                answers.append(request().status_code)
            finally:
                connections.close_all()

        monkeypatch.setattr(CatalogViewSet, "validated_body", body)
        threads = [threading.Thread(target=run, args=(each,)) for each in requests]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(timeout=30)
        return sorted(answers)

    return send


@pytest.mark.story
@pytest.mark.django_db(transaction=True)
def test_of_two_changes_of_an_endpoint_with_one_tag_one_is_made(api_as, at_once):
    api = api_as(*CHANGE_ENDPOINT)
    address = f"webhooks/{webhooks.create(url='https://shop.example/hook')[0].pk}/"
    seen = api.get(address)["ETag"]
    names = ("Chat", "Stock")
    changes = [
        lambda name=name: api.patch(address, {"description": name}, if_match=seen)
        for name in names
    ]  # fmt: skip
    assert at_once(*changes) == [200, 412]
    assert WebhookEndpoint.objects.get().description in names


@pytest.mark.story
@pytest.mark.django_db(transaction=True)
def test_of_two_schedules_with_one_tag_one_is_made(api_as, at_once):
    api = api_as(Permission.PUBLISH)
    image = factories.image(factories.product(photo=False), state=ImageState.APPROVED)
    place = (image.content_type_id, image.object_id, "hero", "", 0)
    ahead = [timezone.now() + timedelta(days=days) for days in (1, 2, 3)]
    publication = publications.request_publication(
        [(place, image)], actor=api.user, starts_at=ahead[0]
    )
    address = f"publications/{publication.pk}/"
    seen = api.get(address)["ETag"]
    changes = [
        lambda at=at: api.put(
            f"{address}schedule/", {"starts_at": at, "ends_at": None}, if_match=seen
        )
        for at in ahead[1:]
    ]
    assert at_once(*changes) == [200, 412]


@pytest.mark.django_db
def test_a_change_of_an_endpoint_writes_only_what_was_sent(api_as):
    endpoint = webhooks.create(url="https://shop.example/hook", description="Chat")[0]
    WebhookEndpoint.objects.update(description="Stock")
    webhooks.update(endpoint, events=["run.ended"])
    endpoint.refresh_from_db()
    assert (endpoint.description, endpoint.events) == ("Stock", ["run.ended"])


@pytest.mark.django_db
def test_a_repetition_is_answered_although_the_first_time_has_changed_the_row(api_as):
    api = api_as(Permission.GENERATE)
    job = factories.job(state=JobState.FAILED)
    address = f"runs/{job.run_id}/"
    seen = {"If-Match": api.get(address)["ETag"]}
    first, again = (
        api.post(f"{address}retry/", {}, **seen, **{"Idempotency-Key": "again-1"}) for _ in range(2)
    )
    assert (first.status_code, again.status_code) == (200, 200)
    assert again.json()["changed"] == first.json()["changed"] == 1
    late = api.post(f"{address}retry/", {}, **seen, **{"Idempotency-Key": "again-2"})
    assert late.status_code == 412
    assert api.post(f"{address}retry/", {}, **seen).status_code == 412
