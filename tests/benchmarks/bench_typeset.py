"""Headline, price and badge on a picture of 1080 px, against Pillow drawing the same three strings.

    .venv-test/bin/python -m tests.benchmarks.bench_typeset [--rounds 15]

Targets: at most 40 ms per locale without encoding, but with scrim, plate, outline, shadow and contrast; at
most 1.5 times Pillow's time for the strings alone. Pillow is given sizes and positions. Then whole files,
from the bytes of one picture to JPEGs in all locales, with the picture opened once and opened for each.
"""

import argparse
import os
import statistics
import time
from collections import defaultdict
from dataclasses import replace

from tests.benchmarks.scene import print_result
from tests.typesetting.sample_texts import HEADLINES


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--locales", type=int, default=None, help="Only so many; all by default.")
    options = parser.parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    import django

    django.setup()
    measure(options.rounds, locales=list(HEADLINES)[: options.locales])


def measure(rounds: int, *, locales: list[str]) -> None:
    import numpy as np
    from PIL import Image
    from tqdm import tqdm

    from nb_catalog.typesetting import fonts, typeset
    from nb_catalog.typesetting.layouts import Layout
    from tests.typesetting.sample_texts import texts_for
    from tests.typesetting.test_typeset import BANNER

    bare = [
        replace(box, scrim=None, plate=None, stroke=None, shadow=None, contrast=1.0)
        for box in BANNER.boxes
    ]
    PLAIN = Layout(boxes=tuple(bare))
    noise = np.random.default_rng(1).random((1080, 1080, 3))
    base_image = (noise * 90 + np.linspace(20, 160, 1080)[None, :, None]).astype(np.uint8)
    picture = Image.fromarray(base_image)
    whole, ratios = [], []
    for locale in tqdm(locales, unit="locale", leave=False):
        job = {"texts": texts_for(locale), "locale": locale, "chain": fonts.chain_for(locale)}
        made = typeset(base_image, layout=PLAIN, **job)
        strings = [
            (each.text, each.size, each.ink, fonts.family_for(locale).family.at(700))
            for each in made.report.texts
        ]
        times = defaultdict(list)
        for _ in range(rounds):
            times["whole"].append(time_call(typeset, base_image, layout=BANNER, **job))
            times["plain"].append(time_call(typeset, base_image, layout=PLAIN, **job))
            times["pillow"].append(time_call(draw_with_pillow, picture, strings))
        pairs = zip(times["plain"], times["pillow"], strict=True)
        whole.append(statistics.median(times["whole"]) * 1000)
        ratios.append(statistics.median(plain / pillow for plain, pillow in pairs))
        tqdm.write(
            f"{locale:8}{whole[-1]:7.1f} ms{ratios[-1]:8.2f} of Pillow's time for the strings"
        )
    each, share = measure_files(
        picture, layout=BANNER, rounds=min(rounds, max(3, rounds // 5)), locales=locales
    )
    print_result(
        "typeset",
        locales=len(ratios),
        median_ms=statistics.median(whole),
        most_ms=max(whole),
        median_of_pillow=statistics.median(ratios),
        most_of_pillow=max(ratios),
        whole_file_ms=each,
        share_of_opening_each=share,
    )


def measure_files(picture, *, layout, rounds, locales):
    """Milliseconds per locale for whole files, and that as a share of opening the picture for each."""
    from nb_catalog.imaging import open_cache
    from nb_catalog.imaging.encode import encode
    from nb_catalog.typesetting import fonts
    from nb_catalog.typesetting.render import typeset_picture
    from tests.typesetting.sample_texts import texts_for

    data = encode(picture, format="jpeg", quality=92)
    bounds = {"max_bytes": 10**8, "max_pixels": 10**8}

    def all_locales(*, shares):
        for locale in locales:
            if not shares:
                open_cache.clear()
            typeset_picture(
                data, layout=layout, texts=texts_for(locale), locale=locale,
                chain=fonts.chain_for(locale), origin="algorithmicMedia", **bounds,
            )  # fmt: skip

    all_locales(shares=True)
    times = {
        shares: [time_call(all_locales, shares=shares) for _ in range(rounds)]
        for shares in (True, False)
    }
    shared, alone = (statistics.median(times[each]) for each in (True, False))
    return shared / len(locales) * 1000, shared / alone


def time_call(work, *args, **options):
    began = time.perf_counter()
    work(*args, **options)
    return time.perf_counter() - began


def draw_with_pillow(picture, plain):
    """Copy the picture and draw three strings at their size and weight, as one would without us."""
    from PIL import ImageDraw, ImageFont

    drawn = picture.copy()
    pen = ImageDraw.Draw(drawn)
    for text, size, ink, font in plain:
        face = ImageFont.truetype(font.face.name, size)
        face.set_variation_by_axes(
            [
                font.weight if axis["name"] == b"Weight" else axis["default"]
                for axis in face.get_variation_axes()
            ]
        )
        pen.text((ink.left, ink.top), text, font=face, fill="#ffffff")
    return drawn


if __name__ == "__main__":
    main()
