"""Keyset pagination over a whole ordering: a cursor has the values of every column that sorts."""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as Base64Error
from dataclasses import dataclass

from django.core.exceptions import FieldDoesNotExist, ValidationError
from django.db import connections
from django.db.models import BooleanField, F, Field, Func, Q, Value

from nb_catalog.core.text import strip_unstorable

# Characters of a cursor; one of ours has a few hundred at most.
MAX_LENGTH = 2000


class InvalidCursor(ValueError):
    """A cursor that is not from this list."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column of an ordering."""

    field: Field
    descending: bool

    @property
    def name(self):
        return self.field.attname

    @property
    def stored_as(self):
        return self.field.target_field if self.field.is_relation else self.field

    def term(self, *, reverse):
        return f"-{self.name}" if self.descending != reverse else self.name

    def parse(self, text):
        """Return the value that ``text`` stands for. Raises ``InvalidCursor``."""
        field = self.stored_as
        try:
            if not isinstance(text, str) or text != strip_unstorable(text):
                raise InvalidCursor
            value = field.to_python(text)
            field.run_validators(value)
        except (ValidationError, ValueError, TypeError, OverflowError) as error:
            raise InvalidCursor from error
        if value is None:
            raise InvalidCursor
        return value


class RowComparison(Func):
    """``(a, b) > (x, y)``: of its expressions, the first half is compared with the second.

    Django's own, which it uses for composite keys, is written with OR for SQLite.
    """

    output_field = BooleanField()

    def as_sql(self, compiler, connection, **context):
        parts, params = [], []
        for expression in self.source_expressions:
            sql, values = compiler.compile(expression)
            parts.append(sql)
            params += values
        half = len(parts) // 2
        left, right = ", ".join(parts[:half]), ", ".join(parts[half:])
        return f"({left}) {self.extra['operator']} ({right})", params


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """The rows of one page; the cursors are None where there is nothing more."""

    rows: list
    next_cursor: str | None
    previous_cursor: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Keyset:
    """An ordering in which no two rows are equal: its last column is the primary key."""

    columns: tuple[Column, ...]

    @classmethod
    def of(cls, queryset):
        """Return the keyset of the ordering of ``queryset``.

        None if it sorts by something else than the table's own columns, or by a column with nulls:
        databases disagree about where these are sorted.
        """
        query, options = queryset.query, queryset.model._meta
        if query.extra_order_by or not query.standard_ordering:
            return None
        columns = {}
        for term in (*(query.order_by or options.ordering), "pk"):
            name = term.lstrip("-") if isinstance(term, str) else ""
            try:
                field = options.pk if name == "pk" else options.get_field(name)
            except FieldDoesNotExist:
                return None
            # A relation's name stands for the ordering of the related model.
            is_own = field.concrete and (not field.is_relation or name in (field.attname, "pk"))
            if not is_own or field.null:
                return None
            columns.setdefault(field.attname, Column(field=field, descending=term[0] == "-"))
            if field.unique:
                break
        return cls(columns=tuple(columns.values()))

    def page(self, queryset, *, size, cursor=None):
        """Return the page that ``cursor`` leads to, the first one without. Raises ``InvalidCursor``."""
        values, reverse = (None, False) if cursor is None else self._decode(cursor)
        rows = queryset.order_by(*(column.term(reverse=reverse) for column in self.columns))
        if values is not None:
            rows = rows.filter(self._beyond(values, reverse=reverse, using=queryset.db))
        block = list(rows[: size + 1])
        is_cut, block = len(block) > size, block[:size]
        if reverse:
            block.reverse()
        has_next = is_cut or reverse
        has_previous = is_cut if reverse else values is not None
        return Page(
            rows=block,
            next_cursor=self._encode(block[-1], reverse=False) if block and has_next else None,
            previous_cursor=self._encode(block[0], reverse=True)
            if block and has_previous
            else None,
        )

    def _beyond(self, values, *, reverse, using):
        """Return the condition for the rows after ``values``, in the way that the database plans best."""
        ways = {column.descending != reverse for column in self.columns}
        # MySQL reads the whole index for a comparison of rows; the others find its beginning, and
        # not that of the condition below.
        if len(ways) == 1 and connections[using].vendor != "mysql":
            return RowComparison(
                *(F(column.name) for column in self.columns),
                *(
                    Value(value, output_field=column.stored_as)
                    for column, value in zip(self.columns, values, strict=True)
                ),
                operator="<" if ways.pop() else ">",
            )
        condition = Q()
        for column, value in reversed(list(zip(self.columns, values, strict=True))):
            way = "lt" if column.descending != reverse else "gt"
            beyond = Q(**{f"{column.name}__{way}": value})
            condition = beyond | Q(**{column.name: value}) & condition if condition else beyond
        return condition

    def _encode(self, row, *, reverse):
        values = [column.field.value_to_string(row) for column in self.columns]
        data = json.dumps([reverse, *map(str, values)], separators=(",", ":"))
        return urlsafe_b64encode(data.encode()).decode().rstrip("=")

    def _decode(self, cursor):
        """Return the values of a cursor, and whether it leads backwards. Raises ``InvalidCursor``."""
        try:
            if len(cursor) > MAX_LENGTH:
                raise InvalidCursor
            padding = "=" * (-len(cursor) % 4)
            reverse, *texts = json.loads(urlsafe_b64decode(cursor + padding))
        except (Base64Error, ValueError, TypeError, RecursionError) as error:
            raise InvalidCursor from error
        if not isinstance(reverse, bool) or len(texts) != len(self.columns):
            raise InvalidCursor
        return [
            column.parse(text) for column, text in zip(self.columns, texts, strict=True)
        ], reverse
