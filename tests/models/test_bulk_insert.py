import pytest

from nb_catalog.models import ImageJob
from nb_catalog.models.db.bulk_insert import insert_copies
from tests import factories

pytestmark = [pytest.mark.django_db, pytest.mark.story]


def columns(asked, **more):
    key = asked.fingerprint
    return {"object_id": asked.object_id, "spec": asked.as_dict(), "fingerprint": key,
            "live_key": key, "turn": 2**40, **more}  # fmt: skip


def template():
    job = factories.job(tier="standard", estimate_microusd=33_600, priority=-4)
    ImageJob.objects.all().delete()
    job.pk = None
    return job


def values(**about):
    rows = ImageJob.objects.filter(**about).order_by("turn").values()
    return [{name: value for name, value in row.items() if name != "id"} for row in rows]


def test_copies_have_the_values_that_django_would_store(about="Ünïcode 'quotes' %s \\ 😀"):
    kind, mug = template(), factories.product(photo=False)
    asked = [factories.spec(mug, prompt=about, renderer={"a": [1.5, None, True]}) for _ in "12"]
    assert insert_copies(kind, [columns(each, turn=n) for n, each in enumerate(asked)]) == 2
    inserted = values()
    ImageJob.objects.all().delete()
    for number, each in enumerate(asked):
        for name, value in columns(each, turn=number).items():
            setattr(kind, name, value)
        kind.pk = None
        kind.save(force_insert=True)
    saved = values()
    for row in (*inserted, *saved):
        assert row.pop("created_at") is not None
    assert inserted == saved


def test_rows_that_conflict_are_left_out_and_not_counted():
    kind, mug = template(), factories.product(photo=False)
    first, second, third = (factories.spec(mug) for _ in "123")
    assert insert_copies(kind, [columns(first)]) == 1
    assert insert_copies(kind, [columns(second), columns(first), columns(third)]) == 2
    assert ImageJob.objects.count() == 3


def test_no_rows_are_no_statement(django_assert_num_queries):
    kind = template()
    with django_assert_num_queries(0):
        assert insert_copies(kind, []) == 0
