"""What a source says of a product's pose reaches the picture."""

import pytest

from nb_catalog import worker
from nb_catalog.core.types import Size
from nb_catalog.imaging import locked
from nb_catalog.models import ProductImage
from nb_catalog.providers import local
from nb_catalog.testing.pictures import solid_png
from tests import factories
from tests.catalog.catalog_images import MugSource

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize(("said", "view"), [("", "front"), ("lying", "top")])
def test_the_worker_renders_a_product_as_its_source_says_it_rests(start, monkeypatch, said, view):
    views = []
    render = local.render

    def watched(spec, **options):
        views.append(options["view"])
        return render(spec, **options)

    monkeypatch.setattr(MugSource, "pose", lambda self, product: said)
    monkeypatch.setattr(local, "render", watched)
    start(treatment="locked", ratio="1:1")
    worker.drain()
    assert views == [view]
    assert ProductImage.objects.get().spec["pose"] == said


def test_a_posture_decides_how_a_product_is_set_into_a_model_s_surroundings():
    ground = solid_png(Size(320, 400), colour=(200, 190, 180))
    limits = {"photo": factories.photo_bytes(), "max_bytes": 10**7, "max_pixels": 10**7}
    standing, lying = (
        locked.compose_into(ground, pose=pose, **limits)[0] for pose in ("standing", "lying")
    )
    assert locked.compose_into(ground, **limits)[0] == standing != lying
