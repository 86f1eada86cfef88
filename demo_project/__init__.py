"""A small shop that shows nb_catalog at work."""
