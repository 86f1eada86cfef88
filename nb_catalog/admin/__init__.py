class CatalogImagesMixin:
    pass
