"""SIGKILL at every point of a batch's way: no result is lost and no shard goes in twice."""

import time

import pytest
from django.conf import settings as django_settings

from nb_catalog import worker
from nb_catalog.models import ImageJob, ProductImage, ProviderBatch
from nb_catalog.worker import spool
from nb_catalog.worker.batches import request_file
from tests.batches.conftest import books_agree, forget_the_rest, states
from tests.cases import ordinary
from tests.worker.dying_worker import BATCH_POINTS
from tests.worker.test_kill import die_at, worker_process

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.story, pytest.mark.once]

HANDED_IN = {
    "after handing in", "after accepting", "after the end is known", "mid-results",
    "after the results", "before closing",
}  # fmt: skip


def pick_up():
    """What the next workers do once the dead one's leases have run out."""
    for _ in range(12):
        time.sleep(django_settings.NB_CATALOG["LEASE_SECONDS"] + 0.1)
        forget_the_rest()
        worker.drain()
        if not ProviderBatch.objects.exclude(state="done").exists() and "queued" not in states():
            return


@pytest.mark.parametrize(
    "point",
    ordinary(sorted(BATCH_POINTS), chosen=["after handing in"]),
)
def test_a_batch_survives_a_kill(start, server, catalog, point):
    start(3)
    die_at(point, catalog)
    pick_up()
    assert states() == {"succeeded": 3}
    assert len(server.request_log.for_operation("batches.create")) == 1, (
        "one batch, whoever died when"
    )
    assert ProductImage.objects.count() == 3
    assert not list(spool.names())
    assert not list(request_file.path_of("x").parent.glob("*.jsonl"))
    calls = books_agree(server)
    assert calls > 0
    if point in HANDED_IN:
        assert ProviderBatch.objects.count() == 1, "found again, not put together anew"
        assert max(ImageJob.objects.values_list("attempts", flat=True)) == 1


@pytest.mark.matrix
def test_kills_at_random_moments_lose_and_repeat_nothing(start, server, catalog):
    start(30)
    for number in range(6):
        process = worker_process("mid-body", catalog)
        process.stdout.readline()
        time.sleep(0.15 + 0.2 * number)
        process.kill()
        process.communicate(timeout=30)
    pick_up()
    assert states() == {"succeeded": 30}
    assert ProductImage.objects.count() == 30
    items = server.request_log.for_operation("batch item")
    assert len({entry.prompt for entry in items}) == len(items) == 30, "each was made once"
    books_agree(server)
