"""Builds the wheel and the source archive, looks into them, and tries the wheel in an empty project."""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Iterable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
# What a build easily forgets, because no import of ours fails without it.
NEEDED = (
    "nb_catalog/py.typed",
    "nb_catalog/migrations/0001_initial.py",
    "nb_catalog/fixtures/nb_catalog_scenes.json",
    "nb_catalog/locale/de/LC_MESSAGES/django.mo",
    "nb_catalog/management/commands/nb_worker.py",
    "nb_catalog/static/nb_catalog/admin.css",
    "nb_catalog/templates/admin/nb_catalog/page.html",
    "nb_catalog/templatetags/nb_catalog.py",
)
STAYS_HERE = ("tests/", "demo_project/", "docs/", ".ci/")
SETTINGS = """
INSTALLED_APPS += ["rest_framework", "nb_catalog"]
"""
# The first steps of whoever installs it.
TRY = (
    ("check", "--fail-level", "WARNING"),
    ("migrate", "--verbosity", "0"),
    ("loaddata", "nb_catalog_scenes"),
    ("makemigrations", "--check", "--dry-run"),
    ("nb_worker", "--once"),
)


def main() -> int:
    with tempfile.TemporaryDirectory(prefix="nb_catalog-wheel-") as directory:
        home = Path(directory)
        wheel = built(home / "dist")
        missing = [*lacking(wheel), *superfluous(wheel)]
        for line in missing:
            print(line)
        if missing:
            return 1
        tried(wheel, home=home)
    print("The wheel holds what it needs and works in an empty project.")
    return 0


def built(target: Path) -> Path:
    """The wheel, made from the source archive, so that both are known to be complete."""
    run(sys.executable, "-m", "build", "--outdir", target, ROOT)
    archive, wheel = next(target.glob("*.tar.gz")), next(target.glob("*.whl"))
    with tarfile.open(archive) as opened:
        print(f"{archive.name}: {len(opened.getnames())} files")
    return wheel


def lacking(wheel: Path) -> Iterable[str]:
    names = set(zipfile.ZipFile(wheel).namelist())
    print(f"{wheel.name}: {len(names)} files, {wheel.stat().st_size / 1024:.0f} KB")
    tracked = run("git", "-C", ROOT, "ls-files", "nb_catalog", quiet=True).split()
    for name in sorted({*NEEDED, *tracked} - names):
        yield f"The wheel lacks {name}."


def superfluous(wheel: Path) -> Iterable[str]:
    for name in zipfile.ZipFile(wheel).namelist():
        if name.startswith(STAYS_HERE) or name.endswith(".pyc"):
            yield f"The wheel has {name}."


def tried(wheel: Path, *, home: Path) -> None:
    """Install the wheel with its plain dependencies only, and take the first steps."""
    run(ROOT / ".ci/venv", home / "venv")
    python = home / "venv/bin/python"
    run(python, "-m", "pip", "install", "-q", "--disable-pip-version-check", wheel)
    run(python, "-m", "django", "startproject", "mysite", home)
    with (home / "mysite/settings.py").open("a") as settings:
        settings.write(SETTINGS)
    for words in TRY:
        print("manage.py", *words)
        run(python, "manage.py", *words, cwd=home)


def run(*command: object, cwd: Path | None = None, quiet: bool = False) -> str:
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(
        [str(word) for word in command],
        cwd=cwd,
        env=environment,
        check=True,
        text=True,
        stdout=subprocess.PIPE if quiet else None,
    )
    return done.stdout or ""


if __name__ == "__main__":
    sys.exit(main())
