"""Product pictures for any Django catalog."""

from nb_catalog.registry import CatalogSource, register

__all__ = ["CatalogSource", "register"]
__version__ = "0.1.0"
