"""``.ci/venv`` and ``.ci/install``: what was cut off is made again, what is there is left alone."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.settings import ROOT

pytestmark = pytest.mark.once

# Stands in for an environment's Python. It notes each installation, and is cut off or offline on demand.
PYTHON = f"""#!/bin/sh
case "$*" in
*"-m pip install"*)
    echo "$*" >>"$LOG"
    case "${{PIP:-}}" in
    killed) kill -9 $PPID ;;
    offline) exit 1 ;;
    esac
    ;;
*) exec {sys.executable} "$@" ;;
esac
"""


def script(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)


@pytest.fixture
def project(tmp_path):
    """A copy of what is needed to install, with an environment whose Python only notes what pip does."""
    shutil.copytree(ROOT / ".ci", tmp_path / ".ci")
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    script(tmp_path / ".venv/bin/python", PYTHON)
    return tmp_path


def install(project, extras="demo", **environment):
    """Install ``extras``; return the exit status and how often pip was called so far."""
    log = project / "log"
    done = subprocess.run(
        ["sh", project / ".ci/install", ".venv", "3.11", extras],
        cwd="/", env={**os.environ, "LOG": str(log), **environment}, check=False,
    )  # fmt: skip
    return done.returncode, len(log.read_text().splitlines()) if log.exists() else 0


def test_the_same_is_installed_once_and_needs_no_network_afterwards(project):
    assert install(project) == (0, 1)
    assert install(project, PIP="offline") == (0, 1)


def test_another_pyproject_or_other_extras_are_installed(project):
    assert install(project) == (0, 1)
    with (project / "pyproject.toml").open("a") as file:
        file.write("# changed\n")
    assert install(project) == (0, 2)
    assert install(project, "test") == (0, 3)


def test_an_installation_without_network_fails_and_is_tried_again(project):
    assert install(project, PIP="offline") == (1, 1)
    assert (project / ".venv/bin/python").exists(), "what was there is kept"
    assert install(project) == (0, 2)


def test_an_installation_that_was_killed_begins_from_nothing(project):
    (project / ".venv/half").touch()
    status, _ = install(project, PIP="killed")
    assert status == -9
    # In place of a real environment, which takes seconds to make.
    script(project / "python", PYTHON)
    script(project / ".ci/venv", 'mkdir -p "$1/bin" && cp python "$1/bin/python"')
    assert install(project) == (0, 2)
    assert not (project / ".venv/half").exists()


def test_without_root_one_line_names_the_package(tmp_path):
    """A Python without what makes environments, a user who is not root, and no sudo."""
    tools = tmp_path / "bin"
    tools.mkdir()
    for name in ("sh", "dirname", "ls", "cat"):
        (tools / name).symlink_to(shutil.which(name))
    script(tools / "id", "#!/bin/sh\necho 1000\n")
    script(tools / "apt-get", "#!/bin/sh\necho called >&2\nexit 100\n")
    script(
        tools / "python3",
        f'#!/bin/sh\ncase "$*" in *ensurepip*) exit 1 ;; esac\nexec {sys.executable} "$@"\n',
    )
    done = subprocess.run(
        [tools / "sh", ROOT / ".ci/venv", tmp_path / "venv"],
        env={"PATH": str(tools)}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    (line,) = done.stderr.splitlines()
    assert f"as root: apt-get install python{version}-venv" in line


@pytest.mark.matrix
@pytest.mark.parametrize("half", ["no pip", "pip without its list of files", "nothing but a link"])
def test_a_half_made_environment_is_made_again_and_a_whole_one_is_kept(half, tmp_path):
    directory = tmp_path / "venv"

    def make():
        subprocess.run(["sh", ROOT / ".ci/venv", directory], check=True)

    if half == "nothing but a link":
        (directory / "bin").mkdir(parents=True)
        (directory / "bin/python").symlink_to(sys.executable)
    else:
        make()
        (pip,) = directory.glob("lib/python*/site-packages/pip")
        (record,) = directory.glob("lib/python*/site-packages/pip-*.dist-info/RECORD")
        if half == "no pip":
            shutil.rmtree(pip)
        else:
            record.unlink()
    make()
    subprocess.run([directory / "bin/python", "-m", "pip", "--version"], check=True)
    (directory / "kept").touch()
    make()
    assert (directory / "kept").exists()


def test_the_two_commands_say_what_they_take():
    readme = (ROOT / "README.md").read_text().partition("## What it does")[0]
    for size in ("0.5 GB", "0.9 GB", "as root"):
        assert size in " ".join(readme.split())
    assert Path(ROOT / "demo_project/run").read_text().count("0.5 GB") == 1


@pytest.mark.matrix
def test_a_run_of_the_tests_leaves_nothing_in_the_temporary_directory(tmp_path):
    subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-n", "2", "tests/test_conf.py", "tests/test_signals.py"],
        cwd=ROOT, env={**os.environ, "TMPDIR": str(tmp_path)}, check=True,
    )  # fmt: skip
    # pytest keeps a directory for the user, with what failed in it.
    left = [path for path in tmp_path.rglob("*") if "pytest-of-" not in path.name]
    assert left == []
