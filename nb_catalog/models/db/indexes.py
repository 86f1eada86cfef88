"""An index for columns that are null in almost all rows."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.models import Q


class SparseIndex(models.Index):
    """A partial index of one column without its nulls; a full index if the database has no partial ones.

    A job's transition then only touches the indexes that it is in. ``Index(condition=...)`` would create
    no index at all on MySQL, with a warning from ``check``.
    """

    def create_sql(self, model: Any, schema_editor: Any, using: str = "", **options: Any) -> Any:
        index: models.Index = models.Index(fields=self.fields, name=self.name)
        if schema_editor.connection.features.supports_partial_indexes:
            present = Q(**{f"{self.fields[0]}__isnull": False})
            index = models.Index(fields=self.fields, name=self.name, condition=present)
        return index.create_sql(model, schema_editor, using, **options)
