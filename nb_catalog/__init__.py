"""Product pictures for any Django catalog."""

from nb_catalog.registry import CatalogSource, Slot, register

__all__ = ["CatalogSource", "Slot", "register"]
__version__ = "0.1.0"
