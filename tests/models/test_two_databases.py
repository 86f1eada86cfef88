"""The tables may be in another database than the default one."""

import os
import sqlite3
import subprocess
import sys

import pytest

from tests.settings import ROOT

pytestmark = pytest.mark.once


def tables(path):
    connection = sqlite3.connect(path)
    try:
        rows = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
    finally:
        connection.close()
    return {name for (name,) in rows if not name.startswith("sqlite_")}


def test_a_second_database_is_migrated_while_the_default_one_is_empty(tmp_path):
    (tmp_path / "two_databases.py").write_text(
        "from tests.settings import *\n"
        "DATABASES = {name: {'ENGINE': 'django.db.backends.sqlite3', 'NAME': Path(__file__).parent / name}\n"
        "             for name in ('default', 'second')}\n"
    )
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "two_databases",
        "PYTHONPATH": os.pathsep.join([str(tmp_path), str(ROOT)]),
    }
    done = subprocess.run(
        [sys.executable, "-m", "django", "migrate", "--database", "second", "--verbosity", "0"],
        env=environment, cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert {"nb_catalog_run", "nb_catalog_imagejob"} <= tables(tmp_path / "second")
    assert tables(tmp_path / "default") == set()
