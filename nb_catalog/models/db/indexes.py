"""An index for columns that are null in nearly all rows."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.models import Q


class SparseIndex(models.Index):
    """An index of one column without its nulls, where the database can do that; else of all rows.

    A job that moves is then written to the indexes that it is in alone. ``Index(condition=...)`` is no
    index at all on MySQL, and a warning of ``check`` there.
    """

    def create_sql(self, model: Any, schema_editor: Any, using: str = "", **options: Any) -> Any:
        index: models.Index = models.Index(fields=self.fields, name=self.name)
        if schema_editor.connection.features.supports_partial_indexes:
            present = Q(**{f"{self.fields[0]}__isnull": False})
            index = models.Index(fields=self.fields, name=self.name, condition=present)
        return index.create_sql(model, schema_editor, using, **options)
