"""A page of 100 published pictures, beside raw tags and three thumbnail libraries, all warm.

    python -m tests.benchmarks.bench_storefront [--products 100] [--rounds 15]

Every page reads its products with one query and draws one picture for each through a Django
template. ``raw`` is an ``<img>`` from address, width and height in the product's own row. Ours
draws ``<picture>`` with AVIF, WebP and JPEG in five widths. The libraries draw the same page as
far as they can: an ``<img>`` with a srcset of five JPEGs (``single``: of one JPEG, no srcset), as
fast as each can: sorl and imagekit with a local-memory cache, imagekit without width and height,
which would open every file. Pictures are small, which makes nothing but the preparation faster.

Rounds are interleaved. Prints one JSON line: medians in milliseconds, queries, and ratios; at
most 2 times raw, and at least 5 times faster than each library on the same page, is wanted.
"""

import argparse
import gc
import statistics
import tempfile
import time
from io import BytesIO
from pathlib import Path

import django
from django.conf import settings

from tests.benchmarks import scene

WIDTHS = (320, 640, 960, 1280, 1920)
# What the libraries resize to: a tenth of the page's widths.
SMALL = tuple(width // 10 for width in WIDTHS)
RAW = """{% for p in products %}<img src="{{ p.url }}" width="{{ p.width }}"
 height="{{ p.height }}" alt="{{ p.name }}" loading="lazy">{% endfor %}"""
OURS = """{% load nb_catalog %}{% for p in products %}
{% catalog_picture p "hero" sizes="(min-width: 60em) 25vw, 50vw" %}{% endfor %}"""


def easy(*widths: int) -> str:
    tags = (f"{{% thumbnail p.photo {w}x0 as t %}}{{{{ t.url }}}} {w}w" for w in widths[:-1])
    return page_of(
        load="easy_thumbnail",
        before=f"{{% thumbnail p.photo {widths[-1]}x0 as last %}}",
        url="last.url",
        box='width="{{ last.width }}" height="{{ last.height }}"',
        srcset=", ".join((*tags, f"{{{{ last.url }}}} {widths[-1]}w")),
    )


def sorl(*widths: int) -> str:
    tags = (
        f'{{% thumbnail p.photo "{w}" as t %}}{{{{ t.url }}}} {w}w{{% endthumbnail %}}'
        for w in widths[:-1]
    )
    return page_of(
        load="sorl_thumbnail",
        before=f'{{% thumbnail p.photo "{widths[-1]}" as last %}}',
        url="last.url",
        box='width="{{ last.width }}" height="{{ last.height }}"',
        srcset=", ".join((*tags, f"{{{{ last.url }}}} {widths[-1]}w")),
        after="{% endthumbnail %}",
    )


def imagekit(*widths: int) -> str:
    tags = (f"{{{{ p.at_{w}.url }}}} {w}w" for w in widths)
    return page_of(url=f"p.at_{widths[-1]}.url", srcset=", ".join(tags))


def page_of(*, url, srcset, box="", load="", before="", after="") -> str:
    loaded = f"{{% load {load} %}}" if load else ""
    many = f' srcset="{srcset}" sizes="50vw"' if ", " in srcset else ""
    img = f'<img src="{{{{ {url} }}}}"{many} {box} alt="{{{{ p.name }}}}" loading="lazy">'
    return f"{loaded}{{% for p in products %}}{before}{img}{after}{{% endfor %}}"


LIBRARIES = {"easy_thumbnails": easy, "sorl_thumbnail": sorl, "imagekit": imagekit}
PAGES = {
    "raw": RAW,
    "nb_catalog": OURS,
    **{name: draw(*SMALL) for name, draw in LIBRARIES.items()},
    **{f"{name} single": draw(SMALL[0]) for name, draw in LIBRARIES.items()},
}


def configure(scratch: Path) -> None:
    settings.configure(
        SECRET_KEY="only for a benchmark",
        INSTALLED_APPS=[
            "django.contrib.auth",
            "django.contrib.contenttypes",
            "easy_thumbnails",
            "sorl.thumbnail",
            "imagekit",
            "nb_catalog",
        ],
        DATABASES={
            "default": {
                "ENGINE": "django.db.backends.sqlite3",
                "NAME": scratch / "db.sqlite3",
                "OPTIONS": {"init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;"},
            }
        },
        TEMPLATES=[
            {
                "BACKEND": "django.template.backends.django.DjangoTemplates",
                "APP_DIRS": True,
                "OPTIONS": {
                    # Both call their library "thumbnail".
                    "libraries": {
                        "easy_thumbnail": "easy_thumbnails.templatetags.thumbnail",
                        "sorl_thumbnail": "sorl.thumbnail.templatetags.thumbnail",
                    }
                },
            }
        ],
        CACHES={"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache",
                            "OPTIONS": {"MAX_ENTRIES": 100_000}}},
        MEDIA_ROOT=scratch / "media",
        MEDIA_URL="/media/",
        DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
        USE_TZ=True,
        # imagekit imports django-rq where it is installed, which does not import without queues.
        RQ_QUEUES={"default": {"HOST": "127.0.0.1", "PORT": 6379, "DB": 0}},
    )  # fmt: skip
    django.setup()


def the_model():
    """The products: what each candidate needs is a column of the same table."""
    from django.db import connection, models
    from imagekit.models import ImageSpecField
    from imagekit.processors import ResizeToFit

    import nb_catalog

    class Product(models.Model):
        name = models.CharField(max_length=80)
        photo = models.ImageField(upload_to="products")
        url = models.CharField(max_length=200)
        width = models.PositiveIntegerField()
        height = models.PositiveIntegerField()

        class Meta:
            app_label = "benchmark"

    for width in SMALL:
        field = ImageSpecField(source="photo", processors=[ResizeToFit(width)], format="JPEG")
        field.contribute_to_class(Product, f"at_{width}")
    with connection.schema_editor() as editor:
        editor.create_model(Product)

    @nb_catalog.register(Product)
    class ProductSource(nb_catalog.CatalogSource):
        title_field = "name"
        photo_field = "photo"

    return Product


def fill(model, *, count: int) -> None:
    from django.core.files.base import ContentFile
    from PIL import Image

    for number in range(count):
        written = BytesIO()
        Image.new("RGB", (200, 250), (number * 2 % 256, 90, 160)).save(written, "JPEG")
        product = model(name=f"Product {number} & more", width=320, height=400)
        product.url = f"/media/thumbnails/{number:064x}.jpg"
        product.photo.save(f"product-{number}.jpg", ContentFile(written.getvalue()), save=True)


def publish(model) -> None:
    """Placements as ``placements.publish`` writes them, without encoding 1,500 files first."""
    from nb_catalog import storefront
    from nb_catalog.models import Placement, ProductImage, Rendition
    from nb_catalog.models.generic import content_type_of

    for product in model.objects.all():
        image = ProductImage.objects.create(
            content_type=content_type_of(product), object_id=str(product.pk), width=1920,
            height=2400, byte_size=1, spec={}, state="approved", file="made.png",
        )  # fmt: skip
        renditions = [
            Rendition(
                image=image, format=kind, width=width, height=width * 5 // 4, byte_size=1,
                url=f"/media/nb_catalog/renditions/{width % 90}/{product.pk:060x}{width:04d}.{kind}",
            )
            for kind in ("avif", "webp", "jpeg")
            for width in WIDTHS
        ]  # fmt: skip
        Placement.objects.create(
            content_type=content_type_of(product), object_id=str(product.pk), slot="hero",
            image=image,
            picture_data=storefront.picture_data(
                renditions, origin="compositeWithTrainedAlgorithmicMedia"
            ),
        )  # fmt: skip


def pages(model) -> dict:
    """For each candidate a function that draws the whole page, from the database on."""
    from django.template import engines

    from nb_catalog import storefront

    drawn = {name: engines["django"].from_string(text) for name, text in PAGES.items()}
    products = model.objects.order_by("pk")

    def page(name):
        template = drawn[name]
        if name == "nb_catalog":
            return lambda: template.render(
                {"products": storefront.prefetch_catalog_images(products.all(), slots=["hero"])}
            )
        return lambda: template.render({"products": products.all()})

    return {name: page(name) for name in PAGES}


def queries(page) -> int:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    with CaptureQueriesContext(connection) as captured:
        page()
    return len(captured)


def measure(candidates: dict, *, rounds: int) -> dict[str, float]:
    taken = {name: [] for name in candidates}
    for page in candidates.values():
        page()
        page()
    for _n in range(rounds):
        for name, page in candidates.items():
            gc.collect()
            start = time.perf_counter()
            page()
            taken[name].append(time.perf_counter() - start)
    return {name: statistics.median(times) * 1000 for name, times in taken.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--products", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=15)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        configure(Path(scratch))
        from django.core.management import call_command

        call_command("migrate", verbosity=0)
        model = the_model()
        fill(model, count=asked.products)
        publish(model)
        candidates = pages(model)
        times = measure(candidates, rounds=asked.rounds)
        counted = {name: queries(page) for name, page in candidates.items()}
        assert candidates["nb_catalog"]().count("<source") == 2 * asked.products
    ours = times["nb_catalog"]
    scene.print_result(
        "storefront",
        products=asked.products,
        ms={name: round(value, 2) for name, value in times.items()},
        queries=counted,
        times_raw=round(ours / times["raw"], 2),
        times_faster={name: round(times[name] / ours, 1) for name in LIBRARIES},
        times_faster_than_single={
            name: round(times[f"{name} single"] / ours, 1) for name in LIBRARIES
        },
        wanted={"times_raw": "<= 2", "times_faster": ">= 5"},
    )


if __name__ == "__main__":
    main()
