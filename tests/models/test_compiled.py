"""Questions whose SQL is made once."""

import pytest

from nb_catalog.core.states import JobState
from nb_catalog.models import ImageJob
from nb_catalog.models.db.compiled import compile_once
from tests import factories

pytestmark = pytest.mark.django_db


def test_the_same_question_is_compiled_once_and_asked_each_time(django_assert_num_queries):
    compiled = []

    @compile_once
    def keys(state, *, limit):
        compiled.append((state, limit))
        return ImageJob.objects.filter(state=state).order_by("pk").values_list("pk")[:limit]

    mug = factories.product()
    first = factories.job(mug)
    with django_assert_num_queries(2):
        assert keys(JobState.QUEUED, limit=2) == [(first.pk,)]
        assert keys(JobState.FAILED, limit=2) == []
    second, _third = factories.job(mug), factories.job(mug)
    assert keys(JobState.QUEUED, limit=2) == [(first.pk,), (second.pk,)]
    assert compiled == [(JobState.QUEUED, 2), (JobState.FAILED, 2)]
