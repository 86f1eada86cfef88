"""``manage.py nb_cutout``: what is possible here, and installing weights from a real server."""

from __future__ import annotations

import ast
import builtins
import threading
from dataclasses import replace
from functools import partial
from hashlib import sha256
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from nb_catalog.imaging.cutout.backends import NetworkCutout, backend_for
from nb_catalog.imaging.cutout.weights import WEIGHTS
from nb_catalog.management.commands import nb_cutout
from nb_catalog.models import PhotoCutout
from nb_catalog.models.cutouts import CutoutState
from tests import factories
from tests.imaging import onnx_files

NETWORK = onnx_files.network(side=320)
CHECKSUM = sha256(NETWORK).hexdigest()


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_arguments):
        pass


@pytest.fixture
def mirror(tmp_path):
    shared = tmp_path / "mirror"
    shared.mkdir()
    (shared / WEIGHTS["u2net"].file_name).write_bytes(NETWORK)
    handler = partial(Quiet, directory=shared)
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as made:
        thread = threading.Thread(target=made.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{made.server_port}/"
        made.shutdown()
        thread.join()


def run(*arguments):
    out = StringIO()
    call_command("nb_cutout", *map(str, arguments), stdout=out, stderr=StringIO())
    return out.getvalue()


def test_the_settings_that_installing_prints_cut_out(mirror, tmp_path, settings):
    to = tmp_path / "weights"
    printed = run("install", "u2net", "--from", mirror, "--to", to, "--sha256", CHECKSUM, "--yes")
    assert (to / "u2net.onnx").read_bytes() == NETWORK
    assert mirror in printed and "Apache-2.0" in printed and CHECKSUM in printed
    pasted = ast.literal_eval("{" + printed[printed.index('"CUTOUT"') :] + "}")
    settings.NB_CATALOG = {**settings.NB_CATALOG, **pasted}
    backend = backend_for()
    assert isinstance(backend, NetworkCutout)
    assert list(backend.check()) == []
    assert "u2net.onnx" in run("status")


def test_a_file_with_another_checksum_is_not_installed(mirror, tmp_path):
    with pytest.raises(CommandError, match="expected 1111"):
        run("install", "u2net", "--from", mirror, "--to", tmp_path, "--sha256", "1" * 64, "--yes")
    assert not (tmp_path / "u2net.onnx").exists()


def test_weights_that_the_mirror_does_not_have_are_reported(mirror, tmp_path):
    with pytest.raises(CommandError, match="404|not found"):
        run("install", "isnet", "--from", mirror, "--to", tmp_path, "--sha256", CHECKSUM, "--yes")


def test_without_a_checksum_only_the_published_file_is_installed(mirror, tmp_path, monkeypatch):
    arguments = ("install", "u2net", "--from", mirror, "--to", tmp_path / "w", "--yes")
    with pytest.raises(CommandError, match=f"expected {WEIGHTS['u2net'].sha256}"):
        run(*arguments)
    assert not (tmp_path / "w" / "u2net.onnx").exists()
    published = replace(WEIGHTS["u2net"], sha256=CHECKSUM)
    monkeypatch.setattr(nb_cutout, "WEIGHTS", {**WEIGHTS, "u2net": published})
    assert CHECKSUM in run(*arguments)
    assert (tmp_path / "w" / "u2net.onnx").read_bytes() == NETWORK


@pytest.mark.parametrize("checksum", ["b6e84", "z" * 64])
def test_what_is_no_checksum_is_refused_before_anything_is_downloaded(mirror, tmp_path, checksum):
    with pytest.raises(CommandError, match="--sha256"):
        run("install", "u2net", "--from", mirror, "--to", tmp_path, "--sha256", checksum, "--yes")


def test_the_file_of_a_named_network_is_known_before_it_is_opened(tmp_path):
    for each in WEIGHTS.values():
        maker = NetworkCutout(path=str(tmp_path / each.file_name), sha256=each.sha256).maker
        assert maker.startswith(f"{each.family}@{each.sha256[:8]}/")


@pytest.mark.parametrize(
    ("answer", "installs"), [("y", True), ("yes", True), ("", False), ("n", False)]
)
def test_a_person_is_asked_first(mirror, tmp_path, monkeypatch, answer, installs):
    monkeypatch.setattr(builtins, "input", lambda _prompt: answer)
    arguments = ("install", "u2net", "--from", mirror, "--to", tmp_path / "w", "--sha256", CHECKSUM)
    if installs:
        run(*arguments)
    else:
        with pytest.raises(CommandError, match="Nothing was downloaded"):
            run(*arguments)
    assert (tmp_path / "w" / "u2net.onnx").exists() == installs


def test_a_network_that_cannot_be_run_is_reported_when_it_is_installed(tmp_path, mirror):
    other = onnx_files.network(side=640)
    (tmp_path / "mirror" / "other.onnx").write_bytes(other)
    checksum = sha256(other).hexdigest()
    printed = run(
        "install", "u2net", "--from", f"{mirror}other.onnx", "--to", tmp_path,
        "--sha256", checksum, "--yes",
    )  # fmt: skip
    assert "unknown family" in printed and "other.onnx" in printed


def test_the_status_names_what_is_possible_without_a_network():
    printed = run("status")
    assert "ClassicalCutout" in printed and "plain background" in printed
    assert all(name in printed for name in WEIGHTS)


def test_the_status_says_what_a_network_lacks(settings, tmp_path):
    options = {"path": str(tmp_path / "gone.onnx"), "sha256": "0" * 64}
    entry = {"BACKEND": "nb_catalog.imaging.cutout.backends.NetworkCutout", "OPTIONS": options}
    settings.NB_CATALOG = {**settings.NB_CATALOG, "CUTOUT": entry}
    out = StringIO()
    with pytest.raises(SystemExit):
        call_command("nb_cutout", "status", stdout=out)
    assert "gone.onnx" in out.getvalue() and "nb_cutout install isnet" in out.getvalue()


@pytest.mark.django_db
def test_photos_are_cut_out_once_and_again_when_asked(cutout_backend):
    for _number in range(3):
        factories.product()
    assert f"{CutoutState.ACCEPTED.label}: 3" in run("make")
    assert "nothing to cut out" in run("make", "testcatalog.Mug").lower()
    cutout_backend(reasons=["unsure"], maker="counting/2")
    assert f"{CutoutState.DOUBTFUL.label}: 3" in run("make", "--again")
    assert set(PhotoCutout.objects.values_list("maker", "state")) == {("counting/2", "doubtful")}


@pytest.mark.django_db
def test_a_model_that_the_catalog_does_not_have_is_reported():
    with pytest.raises(CommandError, match="shop.Nothing"):
        run("make", "shop.Nothing")
