"""200 calls in flight: the worker, beside a bare asyncio google-genai script in the same run.

    [NB_TEST_DATABASE=postgres] python -m tests.benchmarks.bench_worker [--jobs N] [--rounds N]

Prints one JSON line: pictures per minute as a share of the bare script's (at least 0.90 is
wanted), CPU per picture over the bare script's without and with the verification by decoding
(at most 1.8 without), database transactions per picture (at most 0.25) and resident memory.
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

IN_FLIGHT = 200


def bare(jobs: int, port: int) -> dict[str, float]:
    from google import genai
    from google.genai import types

    from tests.benchmarks.bench_photos import photo_bytes

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

    started = time.perf_counter()
    asyncio.run(script())
    return {"seconds": time.perf_counter() - started}


def ours(jobs: int, port: int) -> dict[str, float]:
    from tests.benchmarks.bench_photos import prepared_plan

    plan = prepared_plan(jobs, port=port, concurrency=IN_FLIGHT)
    from nb_catalog import runner, runs

    runs.start(plan)
    worker = runner.Worker()
    before, started = time.process_time(), time.perf_counter()
    endings = worker.run(until_idle=True)
    seconds = time.perf_counter() - started
    assert endings == {"succeed": jobs}, endings
    return {
        "seconds": seconds,
        "work_cpu": time.process_time() - before,
        "transactions": worker.commits / jobs,
    }


def decoding(jobs: int) -> float:
    """CPU seconds of verifying one such picture by decoding it."""
    from nb_catalog.imaging.inspect import examine
    from tests.benchmarks.slow_gemini import picture

    data = picture()
    before = time.process_time()
    for _n in range(20):
        examine(data, max_bytes=2**26, max_pixels=10**8)
    return (time.process_time() - before) / 20


def part(name: str, jobs: int, port: int) -> None:
    if name == "decoding":
        print(json.dumps({"cpu": decoding(jobs)}))
        return
    result = (bare if name == "bare" else ours)(jobs, port)
    result["cpu"] = result.pop("work_cpu", None) or time.process_time()
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
    parser.add_argument("--part", choices=("bare", "ours", "decoding"))
    parser.add_argument("--port", type=int, default=0)
    options = parser.parse_args()
    if options.part:
        part(options.part, options.jobs, options.port)
        return
    server = subprocess.Popen(
        [sys.executable, "-m", "tests.benchmarks.slow_gemini", "0", "2.0"],
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        port = int(server.stdout.readline().split()[1])
        rounds = [
            (measured("bare", options.jobs, port), measured("ours", options.jobs, port))
            for _ in range(options.rounds)
        ]
        decode = measured("decoding", options.jobs, port)["cpu"]
    finally:
        server.kill()
        server.wait()
    print(json.dumps(compared(rounds, options.jobs, decode)))


def compared(rounds, jobs: int, decode: float) -> dict[str, object]:
    def median(of) -> float:
        return round(statistics.median(of(bare, ours) for bare, ours in rounds), 3)

    return {
        "benchmark": "worker_200_in_flight",
        "database": os.environ.get("NB_TEST_DATABASE", "sqlite"),
        "jobs": jobs,
        "rate_over_bare": median(lambda b, o: b["seconds"] / o["seconds"]),
        "cpu_over_bare_without_decoding": median(
            lambda b, o: (o["cpu"] - decode * jobs) / b["cpu"]
        ),
        "cpu_over_bare_with_decoding": median(lambda b, o: o["cpu"] / b["cpu"]),
        "decoding_over_bare": median(lambda b, o: decode * jobs / b["cpu"]),
        "transactions_per_picture": median(lambda b, o: o["transactions"]),
        "resident_mb": median(lambda b, o: o["resident_mb"]),
        "bare_resident_mb": median(lambda b, o: b["resident_mb"]),
    }


if __name__ == "__main__":
    main()
