"""Every benchmark starts and ends with its figures, with numbers so small that the figures mean nothing."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.settings import ROOT

pytestmark = [pytest.mark.matrix, pytest.mark.once]

# Many times what each takes: one that waits for what never comes ends with its output.
SECONDS = 600

# module -> (its arguments, what its last line has to say beside its name)
BENCHMARKS = {
    "bench_api": ("--rows 60", {"slowest_ms", "queries", "queries_of_5"}),
    "bench_batch": ("2", {"batches", "memory_rise_mb", "cpu_seconds_for_1000"}),
    "bench_claims": ("--jobs 2500", {"claim_ms", "claim_ratio", "status_ms", "run_counts_ms"}),
    "bench_cutout": ("1", {"cpu_over_bare", "whole_cpu_seconds", "resident_mb"}),
    "bench_drain": ("--jobs 20", {"jobs_per_second", "bare_rows_per_second"}),
    "bench_fidelity": ("1", {"ratio", "whole_cpu_seconds", "wall_seconds"}),
    "bench_drift": ("1", {"ratio", "drift_cpu_ms", "bare_cpu_ms"}),
    "bench_galleries": (
        "--pictures 3",
        {"publish_over_none", "empty_seconds", "delivered_per_second", "over_bare"},
    ),
    "bench_kills": (
        "--jobs 4 --kills 1 --processes 1 --lease-seconds 1",
        {"kills", "states", "calls"},
    ),
    "bench_live": (
        "--streams 2 --seconds 1",
        {"cpu_seconds", "queries", "many_runs_queries", "polling_cpu_seconds", "polling_queries"},
    ),
    "bench_local_variant": ("1", {"cold_ratio", "warm_ratio", "bare_ms"}),
    "bench_plans": ("--jobs 40", {"time_over_bare", "memory_rise_mb"}),
    "bench_preview": ("1", {"first_of_process_ms", "first_ms", "later_ms", "slowest_ms"}),
    "bench_provider": ("2 --rounds 1", {"ratio", "provider_cpu_ms"}),
    "bench_publish": (
        "--pictures 3 --width 40",
        {
            "ratio",
            "cpu_ratio",
            "move_queries",
            "to_earlier_seconds",
            "to_earlier_queries",
            "to_empty_seconds",
            "to_empty_queries",
        },
    ),
    "bench_review": (
        "--pictures 60 --decisions 3",
        {"page_ms", "page_queries", "queries_of_one", "decision_ms", "decision_over_bare"},
    ),
    "bench_scale": ("--doublings 1", {"rows", "ms_of_1000", "ms"}),
    "bench_scene": ("1", {"compose_ratio", "cold_ratio", "compose_ms", "slowest_scene"}),
    "bench_series": (
        "--members 20 --shown 3 --rounds 1",
        {"page_queries", "queries_of_50", "page_ms", "page_over_bare", "plan_ratio"},
    ),
    "bench_soak": ("20", {"spoiled", "kinds", "counts", "billed_usd"}),
    "bench_storefront": (
        "--products 3 --rounds 1",
        {"ms", "queries", "times_raw", "times_faster", "times_faster_than_single"},
    ),
    "bench_throttle": (
        "--processes 1 --minutes 0.02 --start-seconds 0",
        {"most_in_any_60_seconds", "share_of_quota"},
    ),
    "bench_two_workers": ("--jobs 80 --seconds 0.1", {"one_per_second", "two_per_second", "ratio"}),
    "bench_typeset": ("--rounds 1 --locales 2", {"median_ms", "median_of_pillow", "whole_file_ms"}),
    "bench_webhooks": (
        "--endpoints 5 --messages 3",
        {"good_seconds", "mixed_seconds", "delay", "event_without_endpoints_ms"},
    ),
    "bench_worker": (
        "--jobs 4 --rounds 1 --seconds 0.1",
        {"rate_over_bare", "cpu_over_bare", "transactions_per_picture", "resident_mb"},
    ),
}


@pytest.mark.parametrize("name", BENCHMARKS)
def test_the_benchmark_ends_with_its_figures(name):
    arguments, keys = BENCHMARKS[name]
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "tests.settings"}
    if name in ("bench_local_variant", "bench_storefront"):
        del environment["DJANGO_SETTINGS_MODULE"]  # they configure settings of their own
    done = subprocess.run(
        [sys.executable, "-m", f"tests.benchmarks.{name}", *arguments.split()],
        cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=SECONDS,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    last = json.loads(done.stdout.splitlines()[-1])
    assert last["benchmark"]
    assert keys <= last.keys()


def test_no_benchmark_is_left_out():
    assert {path.stem for path in Path(__file__).parent.glob("bench_*.py")} == set(BENCHMARKS)
