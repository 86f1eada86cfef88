"""Questions that are asked so often that making their SQL would take longer than answering them."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache, wraps
from typing import Any, Final, ParamSpec

from django.db import connection, models

Asked = ParamSpec("Asked")
# A question's arguments stand in its SQL. More than these of one question are made anew.
MOST: Final = 256


def compile_once(question: Callable[Asked, models.QuerySet[Any, Any]]) -> Callable[Asked, Any]:
    """Make a function that returns a ``values_list`` into one that returns its rows (tuples).

    The query is compiled once for the same arguments, which must be hashable, and asked at each
    call. Values are as the driver gives them: SQLite and MySQL know neither true nor moments.
    """

    @lru_cache(maxsize=MOST)
    def compiled(
        _alias: str, *args: Asked.args, **kwargs: Asked.kwargs
    ) -> tuple[str, tuple[Any, ...]]:
        sql, params = question(*args, **kwargs).query.sql_with_params()
        return sql, tuple(params)

    @wraps(question)
    def rows(*args: Asked.args, **kwargs: Asked.kwargs) -> list[tuple[Any, ...]]:
        statement = compiled(connection.alias, *args, **kwargs)  # type: ignore[arg-type]
        with connection.cursor() as cursor:
            cursor.execute(*statement)
            return list(cursor.fetchall())

    return rows
