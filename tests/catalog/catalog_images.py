import nb_catalog
from nb_catalog.core.types import Photo
from tests.catalog.models import Mug, Poster, Vase


@nb_catalog.register(Mug)
class MugSource(nb_catalog.CatalogSource):
    title_field = "name"
    photo_field = "packshot"
    fact_fields = ("colour",)


@nb_catalog.register(Poster)
class PosterSource(nb_catalog.CatalogSource):
    title_field = "title"
    photo_field = "photos"


@nb_catalog.register(Vase)
class VaseSource(nb_catalog.CatalogSource):
    title_field = "name"

    def photos(self, product):
        return [Photo(name=f"vases/{product.slug}.png")]
