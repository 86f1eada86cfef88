"""The OpenAPI 3.1 description of the endpoints, read from the view sets by drf-spectacular.

Only the modules of this package import drf-spectacular, and nothing imports them before a schema is wanted.
"""
