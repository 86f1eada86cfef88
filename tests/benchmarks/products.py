"""What the worker's benchmark works on: products with a small photo, a plan for the paid lane."""

import io
import os

from PIL import Image, ImageDraw


def photo_bytes() -> bytes:
    image = Image.new("RGBA", (240, 240), (0, 0, 0, 0))
    ImageDraw.Draw(image).rounded_rectangle((60, 40, 180, 220), 20, fill=(30, 60, 160, 255))
    file = io.BytesIO()
    image.save(file, "PNG")
    return file.getvalue()


def prepared_plan(jobs: int, *, port: int, concurrency: int):
    """A plan of ``jobs`` painted pictures on an empty database, through Gemini at ``port``."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    import django

    django.setup()
    from django.conf import settings
    from django.core.files.base import ContentFile
    from django.core.management import call_command
    from django.db import connection

    from nb_catalog import generation
    from nb_catalog.conf import GEMINI_TIERS
    from tests.catalog.models import Mug

    settings.NB_CATALOG = {
        **settings.NB_CATALOG,
        "CONCURRENCY": concurrency,
        "TIERS": GEMINI_TIERS,
        "PROVIDERS": {
            "gemini": {
                "BACKEND": "nb_catalog.providers.gemini.GeminiProvider",
                "OPTIONS": {"api_key": "x", "base_url": f"http://127.0.0.1:{port}"},
            }
        },
    }
    connection.creation.create_test_db(verbosity=0, autoclobber=True, serialize=False)
    call_command("loaddata", "nb_catalog_scenes", verbosity=0)
    first = Mug(name="Mug", colour="blue")
    first.packshot.save("mug.png", ContentFile(photo_bytes()), save=False)
    Mug.objects.bulk_create(
        (Mug(name=f"Mug {n}", colour="blue", packshot=first.packshot.name) for n in range(jobs)),
        batch_size=2000,
    )
    # Plans look at new photos beforehand: a photo is cut out once, however many pictures it gets.
    call_command("nb_cutout", "make", Mug._meta.label, verbosity=0)
    return generation.plan_backgrounds(
        Mug.objects.order_by("pk"), scenes=["marble"], treatment="painted", tier="draft"
    )
