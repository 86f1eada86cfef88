"""Large runs, whose jobs the worker writes: a block of products at a time, each in one transaction.

A block's row holds the keys of its products. It is deleted in the transaction that writes their jobs, so
that each is written once, however many workers write or die. ``worker.run_starts`` decides who writes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Final

from django.db import transaction
from django.db.models import F, QuerySet
from django.utils.translation import gettext_lazy as _

from nb_catalog.core.iteration import blocks
from nb_catalog.generation import planning
from nb_catalog.generation.job_writing import first_turn, lock_jobs_of, write_jobs
from nb_catalog.generation.plan import Plan
from nb_catalog.models import Run, RunStart, RunStartBlock
from nb_catalog.models.generic import content_type_of
from nb_catalog.registry import source_for
from nb_catalog.worker.claims import lease_end

# Pictures of a block, about: writing them takes a fraction of a second, in which the worker's other
# writes wait.
BLOCK_PICTURES: Final = 500
MOST_PRODUCTS: Final = 250
GONE: Final = _("The product no longer exists, or its source's queryset() does not have it.")


def defer(run: Run, plan: Plan, *, keys: Sequence[str], priority: int) -> None:
    """Leave it to the worker to write the jobs of ``run``. ``keys`` are those of the plan's products."""
    products = plan.products
    model = products.model if isinstance(products, QuerySet) else type(products[0])
    start = RunStart.objects.create(
        run=run,
        label=source_for(model).label,
        request=planning.stored_request(plan.planner),
        priority=priority,
        products=len(keys),
    )
    size = min(MOST_PRODUCTS, max(1, BLOCK_PICTURES // plan.planner.per_product))
    RunStartBlock.objects.bulk_create(
        [RunStartBlock(start=start, keys=block) for block in blocks(keys, size=size)],
        batch_size=1000,
    )


def write_block(start: RunStart) -> None:
    """Write the jobs of the next block of ``start``, and delete it with the last one.

    Raises ``PlanRefused`` if the plan is not possible any more.
    """
    block = start.blocks.first()
    if block is None:
        RunStart.objects.filter(pk=start.pk).delete()
        return
    source = source_for(start.label)
    with transaction.atomic():
        # First of all: without a row to delete, another worker has written it, or the run was cancelled.
        if not RunStartBlock.objects.filter(pk=block.pk).delete()[0]:
            return
        rows = {str(key): row for key, row in source.queryset().in_bulk(block.keys).items()}
        products = [rows[key] for key in block.keys if key in rows]
        turn = start.turn
        if products:
            plan = planning.plan_again(start.request, products)
            lock_jobs_of(content_type_of(plan.source.model).pk)
            if turn is None:
                is_free, mode = plan.is_free, plan.planner.mode
                turn = first_turn(priority=start.priority, is_free=is_free, mode=mode)
            run = Run.objects.get(pk=start.run_id)
            turn = write_jobs(run, plan, plan.items(), priority=start.priority, turn=turn)
        if gone := len(block.keys) - len(products):
            run = Run.objects.get(pk=start.run_id)
            problems = Counter(run.problems) + Counter({str(GONE): gone})
            Run.objects.filter(pk=run.pk).update(problems=dict(problems))
        RunStart.objects.filter(pk=start.pk).update(
            turn=turn, written=F("written") + len(block.keys), deaths=0, lease_until=lease_end()
        )
        if not start.blocks.exists():
            RunStart.objects.filter(pk=start.pk).delete()


def cancel(run: Run) -> bool:
    """Write no further jobs of ``run``. Return whether there were any to write.

    Call it in a transaction, before its jobs are cancelled: a block that is being written is waited for.
    """
    RunStartBlock.objects.filter(start=run.pk).delete()
    return bool(RunStart.objects.filter(pk=run.pk).delete()[0])


def resume(run: Run) -> bool:
    """Write the further jobs of a run whose writing stopped with an error. Return whether it had."""
    stopped = RunStart.objects.filter(pk=run.pk).exclude(error="")
    return bool(stopped.update(error="", deaths=0, lease_owner="", lease_until=None))
