"""200 calls in flight: the worker, beside a bare asyncio google-genai script in the same run.

    [NB_TEST_DATABASE=postgres] python -m tests.benchmarks.bench_worker [--jobs N] [--rounds N]

Prints one JSON line: pictures per minute as a share of the bare script's (at least 0.90 is
wanted) and CPU per picture over the bare script's (at most 1.8); database transactions per picture
(at most 0.25) and resident memory.

Decoding such a picture takes Pillow twice the CPU of everything that the bare script does for
it, and comparing it with the product's photo takes as much again. Both are stated apart: one part
of the benchmark does both, as the app always does, one only decodes, and one does neither.
"""

import argparse
import asyncio
import json
import os
import resource
import statistics
import subprocess
import sys
import time

from tests.benchmarks import scene

IN_FLIGHT = 200
PARTS = ("bare", "ours", "uncompared", "undecoded")


def bare(jobs: int, port: int) -> dict[str, float]:
    from google import genai
    from google.genai import types

    from tests.benchmarks.products import photo_bytes

    options = types.HttpOptions(base_url=f"http://127.0.0.1:{port}", timeout=60_000)
    photo = types.Part.from_bytes(data=photo_bytes(), mime_type="image/png")
    config = types.GenerateContentConfig(response_modalities=["IMAGE"])

    async def script() -> None:
        client = genai.Client(api_key="x", http_options=options)
        todo = iter(range(jobs))

        async def calls() -> None:
            for _n in todo:
                answer = await client.aio.models.generate_content(
                    model="gemini-3.1-flash-lite-image", contents=["A mug.", photo], config=config
                )
                assert answer.candidates[0].content.parts[0].inline_data.data

        await asyncio.gather(*(calls() for _ in range(IN_FLIGHT)))

    before, started = time.process_time(), time.perf_counter()
    asyncio.run(script())
    seconds = time.perf_counter() - started
    return {"seconds": seconds, "cpu": time.process_time() - before}


def ours(jobs: int, port: int, *, decode: bool = True, compare: bool = True) -> dict[str, float]:
    from tests.benchmarks.products import prepared_plan

    plan = prepared_plan(jobs, port=port, concurrency=IN_FLIGHT)
    from nb_catalog.generation import runs
    from nb_catalog.imaging.inspect import OpenedPicture, examine
    from nb_catalog.worker import Worker, results
    from nb_catalog.worker.run_starts import write_next_block

    if not decode:
        results.examine_and_open = lambda data, **limits: OpenedPicture(
            data, examine(data, decode=False, **limits)
        )
    if not compare:
        results.fidelity_check = lambda _job, _picture: {}
    synced = count_cpu_of_fsync()
    runs.start_run(plan)
    while write_next_block(owner="benchmark"):
        pass
    worker = Worker()
    before, started = time.process_time(), time.perf_counter()
    outcomes = worker.run(until_idle=True)
    seconds = time.perf_counter() - started
    assert outcomes == {"succeed": jobs}, outcomes
    return {
        "seconds": seconds,
        "cpu": time.process_time() - before,
        "fsync_cpu": sum(synced),
        "transactions": worker.commits / jobs,
    }


def count_cpu_of_fsync() -> list[float]:
    """CPU seconds of each fsync from now on. It is the kernel's work on the disk, which without
    fsync is done a little later and charged to nobody."""
    spent, fsync = [], os.fsync

    def counted(file: int) -> None:
        before = time.thread_time()
        fsync(file)
        spent.append(time.thread_time() - before)

    os.fsync = counted
    return spent


def part(name: str, jobs: int, port: int) -> None:
    if name == "bare":
        result = bare(jobs, port)
    else:
        result = ours(jobs, port, decode=name != "undecoded", compare=name == "ours")
    result["resident_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps(result))


def measured(name: str, jobs: int, port: int) -> dict[str, float]:
    command = [sys.executable, "-m", "tests.benchmarks.bench_worker", "--part", name]
    command += ["--jobs", str(jobs), "--port", str(port)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    return json.loads(done.stdout.splitlines()[-1])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, default=2000)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--seconds", type=float, default=2.0, help="How long a call takes.")
    parser.add_argument("--part", choices=PARTS)
    parser.add_argument("--port", type=int, default=0)
    options = parser.parse_args()
    if options.part:
        part(options.part, options.jobs, options.port)
        return
    with scene.slow_gemini(seconds=options.seconds) as port:
        rounds = [
            [measured(name, options.jobs, port) for name in PARTS] for _ in range(options.rounds)
        ]
    scene.print_result("worker_200_in_flight", **compared(rounds, options.jobs))


def compared(rounds, jobs: int) -> dict[str, object]:
    def median(of) -> float:
        return round(statistics.median(of(*parts) for parts in rounds), 3)

    return {
        "database": os.environ.get("NB_TEST_DATABASE", "sqlite"),
        "jobs": jobs,
        "rate_over_bare": median(lambda b, o, c, u: b["seconds"] / u["seconds"]),
        "rate_over_bare_with_decoding": median(lambda b, o, c, u: b["seconds"] / c["seconds"]),
        "rate_over_bare_with_comparison": median(lambda b, o, c, u: b["seconds"] / o["seconds"]),
        "cpu_over_bare": median(lambda b, o, c, u: u["cpu"] / b["cpu"]),
        "cpu_over_bare_without_fsync": median(
            lambda b, o, c, u: (u["cpu"] - u["fsync_cpu"]) / b["cpu"]
        ),
        "cpu_over_bare_with_decoding": median(lambda b, o, c, u: c["cpu"] / b["cpu"]),
        "cpu_over_bare_with_comparison": median(lambda b, o, c, u: o["cpu"] / b["cpu"]),
        "transactions_per_picture": median(lambda b, o, c, u: o["transactions"]),
        "resident_mb": median(lambda b, o, c, u: o["resident_mb"]),
        "bare_resident_mb": median(lambda b, o, c, u: b["resident_mb"]),
        "bare_cpu_ms": median(lambda b, o, c, u: b["cpu"] / jobs * 1000),
        "bare_per_minute": median(lambda b, o, c, u: jobs / b["seconds"] * 60),
    }


if __name__ == "__main__":
    main()
