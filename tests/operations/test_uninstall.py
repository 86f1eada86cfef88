"""What the app leaves behind is reported, and deleted when asked for."""

from datetime import timedelta
from io import StringIO
from pathlib import Path

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Group, Permission, User
from django.contrib.contenttypes.models import ContentType
from django.core.files.base import ContentFile
from django.core.management import CommandError, call_command
from django.db import connections
from django.utils import timezone

from nb_catalog import migrations
from nb_catalog.models import ImageJob, ProviderBatch, Run, Scene
from nb_catalog.operations import uninstall as uninstall_module
from nb_catalog.storage import catalog_storage
from tests.catalog.models import Mug

MIGRATIONS = [*Path(migrations.__file__).parent.glob("0*.py")]

pytestmark = pytest.mark.once


@pytest.fixture(scope="module")
def migrated(tmp_path_factory, django_db_setup, django_db_blocker):
    """A database file of its own, with all tables."""
    path = tmp_path_factory.mktemp("uninstall") / "empty"
    with django_db_blocker.unblock(), _second(path):
        call_command("migrate", database="second", run_syncdb=True, verbosity=0)
    return path


class _second:
    """The alias "second" for the SQLite file at ``path``, within a block."""

    def __init__(self, path):
        self.path = path

    def __enter__(self):
        engine = {"ENGINE": "django.db.backends.sqlite3", "NAME": str(self.path)}
        connections.settings["second"] = {**connections.settings["default"], **engine}

    def __exit__(self, *error):
        connections["second"].close()
        del connections["second"], connections.settings["second"]
        ContentType.objects.clear_cache()


@pytest.fixture
def second(migrated, tmp_path, settings, django_db_blocker):
    """A copy of it as the database "second", and an empty storage."""
    settings.STORAGES = {
        **settings.STORAGES,
        "default": {
            "BACKEND": "django.core.files.storage.FileSystemStorage",
            "OPTIONS": {"location": tmp_path / "media"},
        },
    }
    copy = tmp_path / "second"
    copy.write_bytes(migrated.read_bytes())
    # Without a transaction of a test: the file is gone afterwards.
    with django_db_blocker.unblock(), _second(copy):
        yield connections["second"]


@pytest.fixture
def catalog(second):
    """One row of some tables, two pictures, and files and rows of the host."""
    for name in (
        "nb_catalog/originals/aa/a.png", "nb_catalog/renditions/bb/b.avif",
        "nb_catalog/backdrops/dd/d.jpg", "mugs/c.png",
    ):  # fmt: skip
        catalog_storage().save(name, ContentFile(b"picture"))
    Scene.objects.using("second").bulk_create(
        [Scene(key="marble", name="Marble", prompt="Marble.")]
    )
    Mug.objects.using("second").create(name="Blue", packshot="mugs/c.png")
    user = User.objects.using("second").create(username="editor")
    group = Group.objects.using("second").create(name="editors")
    group.permissions.add(
        *Permission.objects.using("second").filter(codename__in=("generate", "view_mug"))
    )
    for model in ("scene", "mug"):
        LogEntry.objects.using("second").create(
            user=user, object_repr=model, action_flag=1,
            content_type=ContentType.objects.using("second").get(model=model),
        )  # fmt: skip


def uninstall(*options):
    output = StringIO()
    call_command("nb_uninstall", "--database", "second", *options, stdout=output)
    return output.getvalue()


def our_tables(second):
    return [name for name in second.introspection.table_names() if name.startswith("nb_catalog")]


def files():
    storage = catalog_storage()
    below = [
        storage.listdir(f"nb_catalog/{folder}")[1]
        for folder in ("originals/aa", "renditions/bb", "backdrops/dd")
    ]
    return sum(map(len, below))


def test_the_report_names_tables_and_files_and_deletes_nothing(second, catalog):
    report = uninstall()
    for line in (
        "table nb_catalog_scene: 1 rows",
        "table nb_catalog_run: 0 rows",
        "3 files below nb_catalog/ in the storage 'default'",
        f"{len(MIGRATIONS)} rows in django_migrations",
        "1 entries in the log of the admin",
        "Nothing was deleted. Add --delete to delete all of it.",
    ):
        assert line in report
    assert all(f"table {name}:" in report for name in our_tables(second))
    assert our_tables(second) and files() == 3


def test_all_of_ours_is_deleted_and_nothing_of_the_host(second, catalog):
    report = uninstall("--delete", "--yes")
    assert "Now remove nb_catalog from INSTALLED_APPS" in report
    assert our_tables(second) == [] and files() == 0
    assert not ContentType.objects.using("second").filter(app_label="nb_catalog").exists()
    assert Mug.objects.using("second").count() == 1 and catalog_storage().exists("mugs/c.png")
    assert [entry.object_repr for entry in LogEntry.objects.using("second")] == ["mug"]
    (kept,) = Group.objects.using("second").get().permissions.values_list("codename", flat=True)
    assert kept == "view_mug"
    assert uninstall("--delete", "--yes") == "Nothing is left of nb_catalog.\n"


def test_files_can_be_kept_and_only_the_word_itself_confirms(second, catalog, monkeypatch):
    answers = iter(["", "yes", "DELETE"])
    monkeypatch.setattr("builtins.input", lambda question: next(answers))
    for _ in range(3):
        with pytest.raises(CommandError, match=r"Nothing was deleted\."):
            uninstall("--delete")

    def no_terminal(_question):
        raise EOFError

    monkeypatch.setattr("builtins.input", no_terminal)
    with pytest.raises(CommandError, match=r"Nothing was deleted\."):
        uninstall("--delete")
    assert our_tables(second) and files() == 3
    monkeypatch.setattr("builtins.input", lambda question: "delete")
    assert "files below" not in uninstall("--delete", "--keep-files")
    assert our_tables(second) == [] and files() == 3
    assert "3 files below" in uninstall()


def test_it_is_refused_while_a_worker_or_a_provider_works(second, catalog):
    run = Run(plan_key="x", title="x", tier="draft")
    run.save(using="second")
    kind = ContentType.objects.using("second").get(model="mug")
    fields = {
        "run": run, "content_type": kind, "object_id": "1", "spec": {}, "fingerprint": "f",
        "provider": "local", "model": "m", "state": "calling",
    }  # fmt: skip
    soon = timezone.now() + timedelta(minutes=1)
    ImageJob.objects.using("second").create(**fields, lease_until=soon)
    ProviderBatch.objects.using("second").create(name="b", provider="p", model="m")
    with pytest.raises(CommandError) as refusal:
        uninstall("--delete", "--yes")
    assert "Stop all workers" in str(refusal.value) and "1 batches are at" in str(refusal.value)
    assert our_tables(second) and files() == 3
    ImageJob.objects.using("second").update(lease_until=timezone.now())
    ProviderBatch.objects.using("second").update(state="done")
    assert list(uninstall_module.obstacles(database="second")) == []


def test_it_is_refused_while_tables_of_others_refer_to_ours(second, catalog, monkeypatch):
    executor = "nb_catalog.operations.uninstall.MigrationExecutor.migration_plan"

    class Migration:
        app_label = "shop"

    monkeypatch.setattr(executor, lambda self, targets: [(Migration, True)])
    with pytest.raises(CommandError, match="other apps depend on these tables: shop"):
        uninstall("--delete", "--yes")
    assert our_tables(second)
