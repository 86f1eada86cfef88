"""What a source says of a product's posture reaches the picture."""

import pytest

from nb_catalog import runner
from nb_catalog.models import ProductImage
from nb_catalog.providers import local
from tests.catalog.catalog_images import MugSource

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize(("said", "view"), [("", "front"), ("lying", "top")])
def test_the_worker_renders_a_product_as_its_source_says_it_rests(start, monkeypatch, said, view):
    views = []
    render = local.render

    def watched(recipe, **options):
        views.append(options["view"])
        return render(recipe, **options)

    monkeypatch.setattr(MugSource, "posture", lambda self, product: said)
    monkeypatch.setattr(local, "render", watched)
    start(treatment="locked", ratio="1:1")
    runner.drain()
    assert views == [view]
    assert ProductImage.objects.get().recipe["posture"] == said
