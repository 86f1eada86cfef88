"""What the provider costs over the SDK's own call: CPU per picture, in turns, in one run.

    .venv-test/bin/python -m tests.benchmarks.bench_provider [CALLS] [--rounds 7]

The SDK alone builds its request from types, sends it, and hands out the picture's bytes. Wanted:
at most 1.10 times that.
"""

import argparse
import asyncio
import os
import statistics
import subprocess
import sys
import time

from tests.benchmarks.scene import print_result

MODEL = "gemini-3.1-flash-lite-image"
SERVER = """
import sys
from tests.benchmarks.slow_gemini import picture
from nb_catalog.testing.gemini import GeminiServer
with GeminiServer(picture=picture(), keep_bodies=False) as server:
    print(server.url, flush=True)
    sys.stdin.read()
"""
AT_ONCE = 8


async def bare(url: str, calls: int) -> float:
    import aiohttp
    from google.genai import Client, types

    async with aiohttp.ClientSession(read_bufsize=2**22) as session:
        http = types.HttpOptions(
            base_url=url,
            aiohttp_client=session,
            retry_options=types.HttpRetryOptions(attempts=1),
        )
        client = Client(api_key="k", vertexai=False, http_options=http)
        config = types.GenerateContentConfig(
            response_modalities=["IMAGE"], image_config=types.ImageConfig(aspect_ratio="4:5")
        )

        async def one(number: int) -> bytes:
            answer = await client.aio.models.generate_content(
                model=MODEL, contents=f"A mug {number}.", config=config
            )
            return answer.candidates[0].content.parts[0].inline_data.data

        return await timed(one, calls)


async def ours(url: str, calls: int) -> float:
    from nb_catalog.providers.gemini import GeminiProvider
    from nb_catalog.providers.types import ImageRequest

    maker = GeminiProvider(alias="g", api_key="k", base_url=url)

    async def one(number: int) -> bytes:
        request = ImageRequest(model=MODEL, prompt=f"A mug {number}.", ratio="4:5", size="1K")
        return maker.parse(await maker.send(maker.build(request))).data

    try:
        return await timed(one, calls)
    finally:
        await maker.close()


async def timed(one, calls: int) -> float:
    """CPU milliseconds per call, after a few that open connections."""
    gate = asyncio.Semaphore(AT_ONCE)

    async def gated(number: int) -> None:
        async with gate:
            assert len(await one(number)) > 1_000_000

    await asyncio.gather(*map(gated, range(AT_ONCE)))
    begun = time.process_time()
    await asyncio.gather(*map(gated, range(calls)))
    return (time.process_time() - begun) / calls * 1000


def main(calls: int, *, rounds: int) -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    server = subprocess.Popen(
        [sys.executable, "-c", SERVER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    url = server.stdout.readline().strip()
    try:
        pairs = []
        for _ in range(rounds):
            pairs.append((asyncio.run(bare(url, calls)), asyncio.run(ours(url, calls))))
            print(f"SDK {pairs[-1][0]:.2f} ms, provider {pairs[-1][1]:.2f} ms a picture")
    finally:
        server.stdin.close()
        server.wait(30)
    print_result(
        "provider",
        calls=calls,
        sdk_cpu_ms=statistics.median(bare for bare, _ours in pairs),
        provider_cpu_ms=statistics.median(ours for _bare, ours in pairs),
        ratio=statistics.median(ours / bare for bare, ours in pairs),
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("calls", type=int, nargs="?", default=120)
    parser.add_argument("--rounds", type=int, default=7)
    options = parser.parse_args()
    main(options.calls, rounds=options.rounds)
