"""How runs stand: counted once for all who look, and never wrong about what has ended."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

import pytest

from nb_catalog.core.states import JobState
from nb_catalog.generation import job_counts, runs
from nb_catalog.models import ImageJob, Run
from nb_catalog.models.db.clock import database_now
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def run():
    run = factories.run()
    for state in (JobState.QUEUED, JobState.SUCCEEDED, JobState.SUCCEEDED):
        factories.job(of=run, state=state)
    return run


def tally(run):
    run = Run.objects.get(pk=run.pk)
    return job_counts.counts_for([run])[run.pk]


def end_all(run):
    ImageJob.objects.filter(run=run, state=JobState.QUEUED).update(state=JobState.FAILED)


def test_jobs_are_counted_by_state(run):
    assert tally(run) == Counter(succeeded=2, queued=1)


def test_a_short_run_that_works_is_counted_at_each_look(run):
    tally(run)
    ImageJob.objects.filter(state=JobState.QUEUED).update(state=JobState.CALLING)
    assert tally(run) == Counter(succeeded=2, calling=1)
    run.refresh_from_db()
    assert run.counted_at is None, "a look at a short run writes nothing"


def test_a_long_run_is_counted_once_for_all_who_look(run, monkeypatch, django_assert_num_queries):
    monkeypatch.setattr(job_counts, "SMALL", 2)
    monkeypatch.setattr(job_counts, "JOBS_PER_SECOND", 0.01)
    first = tally(run)
    ImageJob.objects.filter(state=JobState.QUEUED).update(state=JobState.CALLING)
    run.refresh_from_db()
    with django_assert_num_queries(0):
        assert job_counts.counts_for([run])[run.pk] == first
    Run.objects.update(counted_at=database_now() - timedelta(seconds=301))
    assert tally(run) == Counter(succeeded=2, calling=1)


def test_a_run_that_is_over_is_counted_once(run, django_assert_num_queries):
    end_all(run)
    tally(run)
    run.refresh_from_db()
    with django_assert_num_queries(0):
        assert job_counts.counts_for([run])[run.pk] == Counter(succeeded=2, failed=1)


def test_an_unknown_outcome_is_not_the_end(run):
    """Its bytes may come home, or a policy may try again."""
    ImageJob.objects.filter(state=JobState.QUEUED).update(state=JobState.UNKNOWN)
    tally(run)
    ImageJob.objects.filter(state=JobState.UNKNOWN).update(state=JobState.SUCCEEDED)
    assert tally(run) == Counter(succeeded=3)


def test_a_retry_has_the_jobs_counted_anew(run):
    end_all(run)
    tally(run)
    run.refresh_from_db()
    assert runs.retry_run(run) == 1
    assert job_counts.counts_for([run])[run.pk] == tally(run) == Counter(succeeded=2, queued=1)


def test_cancelling_shows_at_once(run, monkeypatch):
    monkeypatch.setattr(job_counts, "SMALL", 2)
    monkeypatch.setattr(job_counts, "JOBS_PER_SECOND", 0.01)
    tally(run)
    run.refresh_from_db()
    runs.cancel_run(run)
    assert tally(run) == Counter(succeeded=2, cancelled=1)


def test_a_count_that_a_retry_has_overtaken_is_not_kept(run, monkeypatch):
    """Counted before the retry and written after it, it would say for ever that all has ended."""
    end_all(run)
    counted = job_counts.count_jobs

    def overtaken(keys):
        found = counted(keys)
        runs.retry_run(Run.objects.get(pk=run.pk))
        return found

    monkeypatch.setattr(job_counts, "count_jobs", overtaken)
    tally(run)
    monkeypatch.undo()
    assert tally(run) == Counter(succeeded=2, queued=1)


def test_many_runs_cost_what_two_do(django_assert_max_num_queries):
    made = [factories.job(state=JobState.SUCCEEDED).run for _ in range(6)]
    with django_assert_max_num_queries(4):
        assert set(job_counts.counts_for(made)) == {run.pk for run in made}
