from dataclasses import replace
from types import SimpleNamespace

import pytest

from nb_catalog import generation, worker
from nb_catalog.core.states import ImageState
from nb_catalog.generation import runs
from nb_catalog.models import ProductImage
from nb_catalog.testing.scripted import Script
from tests import factories

# The cheapest first. "sketch" and "large" are rendered, the others are paid for.
TIERS = {
    "sketch": {"PROVIDER": "local", "MODEL": "local-studio", "SIZE": "1K"},
    "large": {"PROVIDER": "local", "MODEL": "local-studio", "SIZE": "2K"},
    "draft": {"PROVIDER": "paid", "MODEL": "gemini-3.1-flash-lite-image", "SIZE": "1K"},
    "standard": {"PROVIDER": "paid", "MODEL": "gemini-nano-banana-2.1", "SIZE": "1K"},
    "premium": {"PROVIDER": "paid", "MODEL": "gemini-3-pro-image", "SIZE": "1K"},
    "best": {"PROVIDER": "paid", "MODEL": "gemini-3-pro-image", "SIZE": "2K"},
}


@pytest.fixture
def script(settings):
    """The script of the paid provider, beside tiers that render."""
    script = Script()
    settings.NB_CATALOG = {
        **settings.NB_CATALOG,
        "PROVIDERS": {**settings.NB_CATALOG.get("PROVIDERS", {}), "paid": script.as_setting()},
        "TIERS": TIERS,
        "RENDITION_WIDTHS": [32],
        "RENDITION_FORMATS": ["jpeg"],
    }
    return script


def make(plan, **options):
    """Start ``plan``, work until nothing is left, and return the run and its pictures."""
    run = runs.start_run(plan, **options)
    worker.drain()
    run.refresh_from_db()
    images = ProductImage.objects.filter(job__run=run, kind="picture").order_by("pk")
    return SimpleNamespace(run=run, images=list(images))


def draft(product=None, *, tier="draft", treatment="painted", state=ImageState.APPROVED, **options):
    """A picture that was really made, on a cheap tier."""
    product = product or factories.product(photo=factories.photo_bytes((600, 750)))
    plan = generation.plan_backgrounds(
        [product], scenes=[factories.scene()], tier=tier, treatment=treatment, **options
    )
    [image] = make(plan).images
    ProductImage.objects.filter(pk=image.pk).update(state=state)
    image.refresh_from_db()
    return image


def paid(product=None, *, tier="draft", treatment="painted", asked=None, **fields):
    """A row as a model of ``tier`` would have made it, without making it."""
    product = product or factories.product()
    entry = TIERS.get(tier, TIERS["draft"])
    asked = asked or factories.spec(
        product, provider=entry["PROVIDER"], model=entry["MODEL"], size=entry["SIZE"],
        treatment=treatment, photo=product.packshot.name, prompt="Show it.", ratio="4:5",
    )  # fmt: skip
    return factories.image(product, asked=asked, **{"tier": tier, **fields})


def final_row(image, *, tier="premium", number=1, **fields):
    """The row of a final of ``image``, without making it."""
    [item, *_others] = generation.plan_escalation([image], tier=tier).items()
    asked = replace(item.spec, candidate=number) if item.spec else None
    return paid(image.catalog_object, tier=tier, asked=asked, draft=image, **fields)


def finals_of(image):
    return list(ProductImage.objects.filter(draft=image, kind="picture").order_by("pk"))
