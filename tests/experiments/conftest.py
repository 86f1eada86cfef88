from types import SimpleNamespace

import pytest

from nb_catalog import generation
from nb_catalog.models import Scene
from nb_catalog.testing.scripted import Script
from tests import factories

PROMPT = "A weathered oak board in warm light from a window on the right."


@pytest.fixture
def script(settings):
    """The script of a paid tier "draft", beside "sketch", which renders."""
    script = Script()
    settings.NB_CATALOG = {
        **settings.NB_CATALOG,
        "PROVIDERS": {**settings.NB_CATALOG.get("PROVIDERS", {}), "paid": script.as_setting()},
        "TIERS": {
            "draft": {"PROVIDER": "paid", "MODEL": "gemini-3.1-flash-lite-image", "SIZE": "1K"},
            "sketch": {"PROVIDER": "local", "MODEL": "local-studio", "SIZE": "1K"},
        },
        "RENDITION_WIDTHS": [32],
        "RENDITION_FORMATS": ["jpeg"],
    }
    return script


def two_scenes():
    factories.scene("marble")
    factories.scene(
        "granite", name="Granite", prompt="Dark granite in hard light.",
        renderer={"surface": {"kind": "paper", "tone": "#303030"}},
    )  # fmt: skip
    return ["marble", "granite"]


def plan_of(products, **options):
    options = {"treatment": "painted", "ratio": "4:5", **options}
    if "scenes" not in options:
        options["scenes"] = two_scenes()
    return generation.plan_experiment(products, **options)


def started(number=3, *, actor=None, lacks=(), name="Which one", **options):
    """An experiment whose pictures are rows, without those of ``lacks``: (number of the product, arm)."""
    products = [factories.product(name=f"Cup {each}") for each in range(number)]
    plan = plan_of(products, **options)
    experiment = generation.start_experiment(plan, name=name, actor=actor)
    images = {}
    for pair, product in zip(experiment.pairs.order_by("position"), products, strict=True):
        for arm in ("a", "b"):
            [item] = [each for each in plan.items() if each.fingerprint == pair.fingerprint(arm)]
            if (pair.position - 1, arm) in lacks:
                experiment.run.jobs.filter(fingerprint=item.fingerprint).update(
                    state="refused", live_key=None
                )
                continue
            colour = (9 * pair.position % 251, 200 if arm == "a" else 20, 90)
            data = factories.photo_bytes((80, 100), colour=colour)
            images[pair.pk, arm] = factories.image(
                product, asked=item.spec, size=(80, 100), data=data
            )
    return SimpleNamespace(
        row=experiment, plan=plan, products=products, images=images,
        pairs=list(experiment.pairs.order_by("position")),
    )  # fmt: skip


def scene(key):
    return Scene.objects.get(key=key)
