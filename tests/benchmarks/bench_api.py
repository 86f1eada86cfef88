"""Pages of the API's lists with 100,000 rows: the server's time, and its queries.

    .venv-test/bin/python [tests/services.py postgres .venv-test/bin/python] -m tests.benchmarks.bench_api
        [--rows 100000]

``slowest_ms`` is the median of the slowest list of 50 rows, of the processor, from the request to the
JSON; 50 is wanted. ``queries`` are those of a page of 50 rows, the most of any list, and ``queries_of_5``
of 5 rows.
"""

import argparse
import statistics
import time

from tests.benchmarks.scene import database, print_result

ROUNDS = 7
PATHS = (
    "jobs/", "jobs/?ordering=-created_at", "images/", "images/?ordering=object", "images/?state=pending",
    "images/?created_after=2020-01-01T00:00:00Z", "placements/", "placements/?ordering=-published_at",
    "placements/?created_after=2020-01-01T00:00:00Z&ordering=published_at",
)  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=100_000)
    options = parser.parse_args()
    with database():
        from django.db import connection
        from django.test.utils import CaptureQueriesContext

        from tests import factories
        from tests.api.conftest import Api
        from tests.api.test_every_list import copies

        root = Api(factories.superuser())
        for row in (factories.job(), factories.image(), factories.published()):
            type(row)._default_manager.bulk_create(copies(row, options.rows), batch_size=5000)
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE" if connection.vendor != "mysql" else "SELECT 1")

        def queries(path: str, size: int) -> int:
            with CaptureQueriesContext(connection) as captured:
                page(f"{path}{'&' if '?' in path else '?'}page_size={size}")
            return len(captured)

        def page(path: str) -> None:
            assert root.get(path).status_code == 200

        def milliseconds(path: str) -> float:
            began = time.thread_time()
            page(path)
            return (time.thread_time() - began) * 1000

        took = {
            path: statistics.median(milliseconds(path) for _ in range(ROUNDS)) for path in PATHS
        }
        slowest = max(took, key=took.__getitem__)
        most = max(queries(path, 50) for path in PATHS)
        fewest = max(queries(path, 5) for path in PATHS)
    print_result(
        "api",
        rows=options.rows,
        slowest=slowest,
        slowest_ms=took[slowest],
        median_ms=statistics.median(took.values()),
        queries=most,
        queries_of_5=fewest,
    )


if __name__ == "__main__":
    main()
