"""Builds the source archive and the wheel and looks into them, tries the wheel in an empty project, and
runs the README's first command in the unpacked archive. Works in a clone and in such an archive."""

from __future__ import annotations

import os
import re
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
MEDIA_ROOT = BASE_DIR / "media"
MEDIA_URL = "media/"
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
        run(sys.executable, "-m", "build", "--outdir", home / "dist", ROOT)
        archive, wheel = next(home.glob("dist/*.tar.gz")), next(home.glob("dist/*.whl"))
        source = unpacked(archive, home=home)
        missing = [*lost(source), *lacking(wheel), *superfluous(wheel), *broken_links(wheel)]
        for line in missing:
            print(line, flush=True)
        if missing:
            return 1
        environment = source / ".venv"
        tried(wheel, home=home, environment=environment)
        # In the same environment, which then lacks little. One product: that it runs is what matters.
        run("sh", source / "demo_project/run", "--no-serve", "--products", 1)
    print("Wheel and archive hold what they need, and both work.")
    return 0


def unpacked(archive: Path, *, home: Path) -> Path:
    with tarfile.open(archive) as opened:
        opened.extractall(home / "source", filter="data")
    (source,) = (home / "source").iterdir()
    return source


def tracked() -> list[str]:
    """What is under version control; in an unpacked archive nothing says so."""
    if not (ROOT / ".git").exists():
        return []
    return run("git", "-C", ROOT, "ls-files", quiet=True).splitlines()


def lost(source: Path) -> Iterable[str]:
    print(f"{source.name}: {sum(path.is_file() for path in source.rglob('*'))} files")
    for name in tracked():
        if not (source / name).is_file():
            yield f"The archive lacks {name}."


def lacking(wheel: Path) -> Iterable[str]:
    names = set(zipfile.ZipFile(wheel).namelist())
    print(f"{wheel.name}: {len(names)} files, {wheel.stat().st_size / 1024:.0f} KB", flush=True)
    ours = (name for name in tracked() if name.startswith("nb_catalog/"))
    for name in sorted({*NEEDED, *ours} - names):
        yield f"The wheel lacks {name}."


def broken_links(wheel: Path) -> Iterable[str]:
    """An index of packages shows the README without the files beside it."""
    opened = zipfile.ZipFile(wheel)
    (name,) = (name for name in opened.namelist() if name.endswith(".dist-info/METADATA"))
    for target in re.findall(r"\]\((?!https://|#)([^)]*)\)", opened.read(name).decode()):
        yield f"The README links to {target}, which is not an address."


def superfluous(wheel: Path) -> Iterable[str]:
    for name in zipfile.ZipFile(wheel).namelist():
        if name.startswith(STAYS_HERE) or name.endswith(".pyc"):
            yield f"The wheel has {name}."


def tried(wheel: Path, *, home: Path, environment: Path) -> None:
    """Install the wheel with its plain dependencies only, and take the first steps."""
    run("sh", ROOT / ".ci/venv", environment)
    python = environment / "bin/python"
    pip = (python, "-m", "pip", "install", "-q", "--disable-pip-version-check", "--no-compile")
    run(*pip, wheel)
    run(python, "-m", "django", "startproject", "mysite", home)
    with (home / "mysite/settings.py").open("a") as settings:
        settings.write(SETTINGS)
    for words in TRY:
        print("manage.py", *words, flush=True)
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
