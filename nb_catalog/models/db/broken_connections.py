"""Connections that the database has closed, for threads that live longer than a request."""

from __future__ import annotations

from django.db import connections


def close_broken() -> None:
    """Close this thread's connections that do not work any more: the next query opens others.

    Only those on which an error has occurred are tried. Inside a transaction, none is closed.
    """
    for connection in connections.all(initialized_only=True):
        if connection.errors_occurred:
            connection.close_if_unusable_or_obsolete()
