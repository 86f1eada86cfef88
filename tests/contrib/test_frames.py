"""The guides for Wagtail and Oscar, carried out; then an editor works there, without being staff."""

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.factories import photo_bytes
from tests.test_docs import blocks

ROOT = Path(__file__).resolve().parents[2]
SETTINGS = {"wagtail": "mysite.settings.dev", "oscar": "mysite.settings"}
# The programs of the guides; which of their commands are left out: what downloads, asks, or does not end.
PROGRAMS = {
    "python": [],
    "django-admin": ["-m", "django"],
    "wagtail": ["-c", "from wagtail.bin.wagtail import main; main()"],
}
LEFT_OUT = {"install", "createsuperuser", "runserver", "nb_worker"}


class Shop:
    """The project of a guide, in a directory."""

    def __init__(self, home):
        self.home = home
        kept = {name: value for name, value in os.environ.items() if "PYTEST" not in name}
        for name in ("NB_TEST_SCRATCH", "DJANGO_SETTINGS_MODULE"):
            kept.pop(name, None)
        self.environment = kept | {"PYTHONPATH": f"{ROOT}{os.pathsep}{home}", "TMPDIR": str(home)}
        (home / "photo.png").write_bytes(photo_bytes((480, 600)))

    def run(self, *arguments, **environment):
        done = subprocess.run(
            [sys.executable, *arguments],
            cwd=self.home,
            env=self.environment | environment,
            capture_output=True,
            text=True,
            timeout=300,
        )
        assert done.returncode == 0, f"{arguments}\n{done.stdout[-3000:]}\n{done.stderr[-6000:]}"

    def follow(self, guide):
        """Write the files of the guide and run its commands, in their order."""
        for block in blocks(guide):
            if block.title.endswith((".py", ".html")):
                file = self.home / block.title
                file.parent.mkdir(parents=True, exist_ok=True)
                with file.open("a" if block.title.startswith("mysite/") else "w") as out:
                    out.write(block.code)
            elif block.language == "sh":
                for command in map(str.split, block.code.splitlines()):
                    if not LEFT_OUT & set(command):
                        self.run(*PROGRAMS[command[0]], *command[1:])


@pytest.mark.matrix
@pytest.mark.once
@pytest.mark.parametrize("package", sorted(SETTINGS))
def test_the_guide_leads_from_nothing_to_a_picture_on_a_stock_page(package, tmp_path):
    if find_spec(package) is None:
        pytest.skip("pip install django-oscar wagtail")
    shop = Shop(tmp_path)
    shop.follow((ROOT / f"docs/{package}.md").read_text().split("\n## ")[1])
    shop.run(
        "-m", f"tests.contrib.walks.{package}_editor", DJANGO_SETTINGS_MODULE=SETTINGS[package]
    )
