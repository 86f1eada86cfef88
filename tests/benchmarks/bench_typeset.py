"""Headline, price and badge on a picture of 1080 px, against Pillow drawing the same three strings.

    .venv-test/bin/python -m tests.benchmarks.bench_typeset [--rounds 15]

Wanted: at most 40 ms a locale without encoding, scrim, plate, outline, shadow and contrast included;
and at most 1.5 times Pillow's time for the strings alone. Pillow gets its sizes and places for nothing.
Then whole files, from the bytes of one picture to JPEGs in all locales, with the picture opened once and
with it opened anew for each.
"""

import argparse
import os
import statistics
import time
from collections import defaultdict
from dataclasses import replace


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=15)
    options = parser.parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    import django

    django.setup()
    measured(options.rounds)


def measured(rounds: int) -> None:
    import numpy as np
    from PIL import Image
    from tqdm import tqdm

    from nb_catalog.typesetting import fonts, typeset
    from nb_catalog.typesetting.layouts import Layout
    from tests.typesetting.lettering import HEADLINES, texts_for
    from tests.typesetting.test_typeset import BANNER

    bare = [
        replace(box, scrim=None, plate=None, stroke=None, shadow=None, contrast=1.0)
        for box in BANNER.boxes
    ]
    PLAIN = Layout(boxes=tuple(bare))
    noise = np.random.default_rng(1).random((1080, 1080, 3))
    ground = (noise * 90 + np.linspace(20, 160, 1080)[None, :, None]).astype(np.uint8)
    picture = Image.fromarray(ground)
    whole, ratios = [], []
    for locale in tqdm(HEADLINES, unit="locale", leave=False):
        job = {"words": texts_for(locale), "locale": locale, "chain": fonts.chain_for(locale)}
        made = typeset(ground, layout=PLAIN, **job)
        strings = [
            (each.text, each.size, each.ink, fonts.families_for(locale).family.at(700))
            for each in made.report.texts
        ]
        times = defaultdict(list)
        for _ in range(rounds):
            times["whole"].append(seconds(typeset, ground, layout=BANNER, **job))
            times["plain"].append(seconds(typeset, ground, layout=PLAIN, **job))
            times["pillow"].append(seconds(drawn_by_pillow, picture, strings))
        pairs = zip(times["plain"], times["pillow"], strict=True)
        whole.append(statistics.median(times["whole"]) * 1000)
        ratios.append(statistics.median(plain / pillow for plain, pillow in pairs))
        tqdm.write(
            f"{locale:8}{whole[-1]:7.1f} ms{ratios[-1]:8.2f} of Pillow's time for the strings"
        )
    print(f"a locale: median {statistics.median(whole):.1f} ms, most {max(whole):.1f} ms")
    print(f"against Pillow: median {statistics.median(ratios):.2f}, most {max(ratios):.2f}")
    print_shared(picture, layout=BANNER, rounds=max(3, rounds // 5))


def print_shared(picture, *, layout, rounds):
    from nb_catalog.imaging import open_cache
    from nb_catalog.imaging.encode import encode
    from nb_catalog.typesetting import fonts
    from nb_catalog.typesetting.render import typeset_picture
    from tests.typesetting.lettering import HEADLINES, texts_for

    data = encode(picture, format="jpeg", quality=92)
    bounds = {"max_bytes": 10**8, "max_pixels": 10**8}

    def all_locales(*, shares):
        for locale in HEADLINES:
            if not shares:
                open_cache.forget()
            typeset_picture(
                data, layout=layout, texts=texts_for(locale), locale=locale,
                chain=fonts.chain_for(locale), origin="algorithmicMedia", **bounds,
            )  # fmt: skip

    all_locales(shares=True)
    times = {
        shares: [seconds(all_locales, shares=shares) for _ in range(rounds)]
        for shares in (True, False)
    }
    shared, alone = (statistics.median(times[each]) for each in (True, False))
    each = shared / len(HEADLINES) * 1000
    print(f"whole files, proved: {each:.0f} ms a locale; {shared / alone:.2f} of opening each anew")


def seconds(work, *args, **options):
    began = time.perf_counter()
    work(*args, **options)
    return time.perf_counter() - began


def drawn_by_pillow(picture, plain):
    """As one would without this package: a copy, a font at its size and weight, three strings."""
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
