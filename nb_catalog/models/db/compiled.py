"""Caches the compiled SQL of hot queries, where compiling costs more than executing."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache, wraps
from typing import Any, Final, ParamSpec

from django.db import connection, models

P = ParamSpec("P")
# Arguments are part of the SQL: this many argument sets of one query are cached.
MAX_CACHED: Final = 256


def compile_once(build_query: Callable[P, models.QuerySet[Any, Any]]) -> Callable[P, Any]:
    """Decorate a function that returns a ``values_list``: the result returns its rows as tuples.

    The SQL is compiled once per set of arguments, which must be hashable, and executed at each call.
    Values are as the database driver returns them: SQLite and MySQL have no booleans or timestamps.
    """

    @lru_cache(maxsize=MAX_CACHED)
    def compiled(_alias: str, *args: P.args, **kwargs: P.kwargs) -> tuple[str, tuple[Any, ...]]:
        sql, params = build_query(*args, **kwargs).query.sql_with_params()
        return sql, tuple(params)

    @wraps(build_query)
    def rows(*args: P.args, **kwargs: P.kwargs) -> list[tuple[Any, ...]]:
        statement = compiled(connection.alias, *args, **kwargs)  # type: ignore[arg-type]
        with connection.cursor() as cursor:
            cursor.execute(*statement)
            return list(cursor.fetchall())

    return rows
