"""Runs the tests of ``host`` in a process with Oscar and Wagtail installed."""

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

HOST = Path(__file__).parent / "host"


@pytest.mark.matrix
@pytest.mark.once
@pytest.mark.parametrize("package", ["oscar", "wagtail", "browser"])
def test_pictures_arrive_in_the_real_package(package, tmp_path):
    if find_spec("oscar") is None or find_spec("wagtail") is None:
        pytest.skip("pip install django-oscar wagtail")
    environment = {name: value for name, value in os.environ.items() if "PYTEST" not in name}
    environment.pop("NB_TEST_SCRATCH", None)
    ended = subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "-q", "-n", "0", "-p", "no:cacheprovider"),
            *("--ds", "tests.contrib.host.settings", "--no-migrations"),
            # Those of the packages are theirs.
            *("-W", "default"),
            str(HOST / f"test_{package}.py"),
        ],
        env={**environment, "TMPDIR": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert ended.returncode == 0, ended.stdout[-6000:] + ended.stderr[-2000:]
