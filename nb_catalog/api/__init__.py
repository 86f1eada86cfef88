"""REST endpoints: ``path("api/catalog-images/", include("nb_catalog.api.urls"))``."""
