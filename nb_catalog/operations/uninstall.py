"""What the app leaves in a project, and its removal: tables, rows of Django's own tables, and files."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from django.apps import apps
from django.contrib.auth.models import Permission
from django.contrib.contenttypes.models import ContentType
from django.core.management import call_command
from django.db import connections, transaction
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.recorder import MigrationRecorder
from django.db.models import ManyToOneRel
from django.utils.translation import gettext as _

from nb_catalog.core.states import BatchState, JobState
from nb_catalog.models import ImageJob, ProviderBatch
from nb_catalog.models.db.clock import database_now
from nb_catalog.operations.pruning import files_below
from nb_catalog.storage import ROOT, catalog_storage

APP: Final = "nb_catalog"


@dataclass(frozen=True, slots=True, kw_only=True)
class Traces:
    """What is there: rows by table, files in the storage, and rows of Django's own tables.

    ``log_entries`` are those of the admin about our models.
    """

    tables: Mapping[str, int]
    files: int
    migrations: int
    content_types: int
    permissions: int
    log_entries: int

    def __bool__(self) -> bool:
        rows = self.migrations + self.content_types + self.permissions + self.log_entries
        return bool(self.tables or self.files or rows)


def find_traces(*, database: str, files: bool = True) -> Traces:
    """Return what the app has left in ``database`` and, with ``files``, in the storage."""
    connection = connections[database]
    existing = set(connection.introspection.table_names())
    models = [model for model in apps.get_app_config(APP).get_models() if not model._meta.proxy]
    has_types = ContentType._meta.db_table in existing
    types = ContentType.objects.using(database).filter(app_label=APP)
    log_entries = 0
    if has_types and apps.is_installed("django.contrib.admin"):
        entries = apps.get_model("admin", "LogEntry")
        if entries._meta.db_table in existing:
            log_entries = entries.objects.using(database).filter(content_type__in=types).count()
    applied = MigrationRecorder(connection).applied_migrations()
    permissions = Permission.objects.using(database).filter(content_type__in=types)
    return Traces(
        tables={
            model._meta.db_table: model._base_manager.using(database).count()
            for model in models
            if model._meta.db_table in existing
        },
        files=sum(1 for _name in files_below(catalog_storage(), ROOT)) if files else 0,
        migrations=sum(app == APP for app, _name in applied),
        content_types=types.count() if has_types else 0,
        permissions=permissions.count() if Permission._meta.db_table in existing else 0,
        log_entries=log_entries,
    )


def obstacles(*, database: str) -> Iterator[str]:
    """Yield every reason why the app must not be removed now."""
    connection = connections[database]
    existing = set(connection.introspection.table_names())
    if ImageJob._meta.db_table in existing:
        held = ImageJob.objects.using(database).filter(
            state__in=(JobState.LEASED, JobState.CALLING), lease_until__gt=database_now()
        )
        if held.exists():
            yield _("A worker is generating pictures. Stop all workers first.")
    if ProviderBatch._meta.db_table in existing:
        unfinished = ProviderBatch.objects.using(database).exclude(state=BatchState.DONE).count()
        if unfinished:
            yield (
                _(
                    "%d batches are at a provider and will be charged. Cancel their runs, or wait for them."
                )
                % unfinished
            )
    executor = MigrationExecutor(connection)
    plan = executor.migration_plan([(APP, None)])
    others = sorted({str(each.app_label) for each, _backwards in plan} - {APP})
    if others:
        yield _(
            "Migrations of other apps depend on these tables: %s. Remove their relations first."
        ) % ", ".join(others)


def uninstall(
    *, database: str, files: bool = True, on_delete: Callable[[str], None] = lambda name: None
) -> None:
    """Delete the tables with all rows, what Django stores about them, and with ``files`` all pictures.

    It can be repeated after an error. ``on_delete`` is called with the name of each file.
    """
    call_command("migrate", APP, "zero", database=database, verbosity=0)
    existing = set(connections[database].introspection.table_names())
    if ContentType._meta.db_table in existing:
        # Ours, and what others have about our models: permissions, the admin's log.
        types = ContentType.objects.using(database).filter(app_label=APP)
        with transaction.atomic(using=database):
            for relation in ContentType._meta.get_fields(include_hidden=True):
                model = relation.related_model
                if not isinstance(relation, ManyToOneRel) or not isinstance(model, type):
                    continue
                # Django's own cascade would look into our tables, which are gone.
                if model._meta.app_label != APP and model._meta.db_table in existing:
                    about = {f"{relation.field.name}__in": list(types)}
                    model._base_manager.using(database).filter(**about).delete()
            types._raw_delete(database)
        ContentType.objects.clear_cache()
    if files:
        storage = catalog_storage()
        for name in list(files_below(storage, ROOT)):
            storage.delete(name)
            on_delete(name)
