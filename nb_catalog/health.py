"""The health view's documented path: ``path("health/catalog-images/", nb_catalog.health.health)``."""

from nb_catalog.operations.views import health

__all__ = ["health"]
