"""A batch of 20,000 pictures of about 1 MB: handed in, fetched, decoded, stored. Memory and CPU.

    .venv-test/bin/python -m tests.benchmarks.bench_batch [JOBS]

The service runs in a process of its own. Wanted: at most 150 MB above the start, at most 30 s of CPU
for 1,000 pictures.
"""

import os
import subprocess
import sys
import threading
import time

from tests.benchmarks.scene import database, print_result

SERVER = """
import sys, time
from tests.benchmarks.slow_gemini import picture
from nb_catalog.testing.gemini import GeminiServer
with GeminiServer(picture=picture(noise=0.75), keep_bodies=False) as server:
    print(server.url, len(server._service.drawer._picture), flush=True)
    sys.stdin.read()
"""


def main(jobs: int) -> None:
    environment = {**os.environ, "PYTHONPATH": os.getcwd()}
    server = subprocess.Popen(
        [sys.executable, "-c", SERVER],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment,
    )  # fmt: skip
    try:
        url, size = server.stdout.readline().split()
        with database():
            measured(jobs, url, int(size))
    finally:
        server.stdin.close()
        server.wait(30)


def measured(jobs: int, url: str, size: int) -> None:
    import psutil
    from django.conf import settings
    from tqdm import tqdm

    from nb_catalog.models import ImageJob, ProviderBatch
    from nb_catalog.worker import Worker, drain
    from nb_catalog.worker.batches import schedule
    from tests.soak import soak

    options = {"api_key": "k", "base_url": url}
    gemini = {"BACKEND": "nb_catalog.providers.gemini.GeminiProvider", "OPTIONS": options}
    settings.NB_CATALOG |= {"PROVIDERS": {"gemini": gemini}, "TIERS": soak.TIERS}
    schedule.FIRST_WAIT = 0.2
    soak.start(1, batch=True)
    drain()  # what is imported once is not the batch's
    ImageJob.objects.all().delete()
    process, peak = psutil.Process(), [0]
    soak.start(jobs, batch=True)
    before = process.memory_info().rss
    stop = threading.Event()

    def watch() -> None:
        while not stop.wait(0.25):
            peak[0] = max(peak[0], process.memory_info().rss)

    watcher = threading.Thread(target=watch)
    watcher.start()
    cpu, begun = time.process_time(), time.perf_counter()
    with tqdm(total=jobs, unit="picture") as bar:
        worker = Worker(on_outcome=lambda _ending: bar.update())
        while ImageJob.objects.exclude(state="succeeded").exists():
            worker.run(until_idle=True)
            failed = ProviderBatch.objects.exclude(error="").first()
            assert failed is None, failed.error
            time.sleep(0.2)
    cpu, took = time.process_time() - cpu, time.perf_counter() - begun
    stop.set()
    watcher.join()
    print_result(
        "batch",
        jobs=jobs,
        picture_mb=size / 1e6,
        batches=ProviderBatch.objects.count() - 1,
        memory_rise_mb=max(0, peak[0] - before) / 2**20,
        cpu_seconds_for_1000=cpu / jobs * 1000,
        pictures_per_second=jobs / took,
    )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 20_000)
