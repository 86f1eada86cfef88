"""Networks as files: recognised, resized, run, and refused with what is wrong."""

from __future__ import annotations

import sys
import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from nb_catalog.imaging.cutout import network as network_module
from nb_catalog.imaging.cutout.families import FAMILIES, family_of
from nb_catalog.imaging.cutout.network import Network, NetworkUnusable
from nb_catalog.imaging.cutout.onnx_graph import Graph, GraphUnreadable
from tests.imaging import onnx_files

FILES = {
    "isnet": onnx_files.network(side=1024),
    "u2net": onnx_files.network(side=320),
    "birefnet": onnx_files.network(side=1024, logits=True, attention=True),
}


def opened(tmp_path, data, **options) -> Network:
    file = tmp_path / "network.onnx"
    given = onnx_files.save(file, data)
    return Network(file, checksum=given["sha256"], **options)


def half_dark(side: int = 200) -> Image.Image:
    photo = np.full((side, side, 3), 240, np.uint8)
    photo[:, : side // 2] = 20
    return Image.fromarray(photo)


@pytest.mark.parametrize("name", FILES)
def test_a_family_is_recognised_by_its_graph(name):
    family = family_of(Graph(FILES[name]).signature())
    assert family is FAMILIES[name]


@pytest.mark.parametrize(
    "data",
    [
        onnx_files.network(side=640),
        onnx_files.network(side=320, attention=True),
    ],
    ids=["another size", "attention at a small size"],
)
def test_another_graph_is_of_no_family(data):
    assert family_of(Graph(data).signature()) is None


@pytest.mark.parametrize("name", FILES)
def test_each_family_is_run_and_returns_probabilities(name, tmp_path):
    network = opened(tmp_path, FILES[name])
    side = network.sides()[0]
    found = network.find(half_dark(), side=side)
    assert found.shape == (side, side)
    assert found.dtype == np.float32
    assert found[:, : side // 2 - 8].min() > 0.95
    assert found[:, side // 2 + 8 :].max() < 0.05


def test_values_are_not_stretched_to_the_whole_range(tmp_path):
    network = opened(tmp_path, onnx_files.network(side=320, steepness=0.1))
    found = network.find(half_dark(), side=320)
    assert 0.4 < found.min() < found.max() < 0.6


def test_isnet_is_tried_at_half_its_size_first_and_others_at_their_own(tmp_path):
    assert opened(tmp_path, FILES["isnet"]).sides() == (512, 1024)
    assert opened(tmp_path, FILES["u2net"]).sides() == (320,)
    assert opened(tmp_path, FILES["birefnet"]).sides() == (1024,)


@pytest.mark.parametrize("sizes", ["constant", "joined"])
def test_a_graph_that_is_resized_finds_the_same_at_both_sizes(sizes, tmp_path):
    network = opened(tmp_path, onnx_files.network(sizes=sizes))
    small, large = (network.find(half_dark(), side=side) for side in (512, 1024))
    assert np.abs(large[::2, ::2] - small)[:, [*range(248), *range(264, 512)]].max() < 0.01


def test_a_graph_whose_sizes_are_computed_is_not_resized():
    graph = Graph(onnx_files.network(sizes="computed"))
    with pytest.raises(GraphUnreadable, match="computes the sizes"):
        graph.resize(old=1024, new=512)


def test_such_a_network_is_run_at_its_own_size(tmp_path):
    network = opened(tmp_path, onnx_files.network(sizes="computed"))
    assert network.sides() == (1024,)
    assert network.find(half_dark(), side=1024)[500, 200] > 0.95


def test_a_graph_that_onnxruntime_does_not_run_is_refused(tmp_path):
    broken = FILES["u2net"].replace(b"Sigmoid", b"Sigmoit")
    network = opened(tmp_path, broken)
    with pytest.raises(NetworkUnusable, match="cannot be run"):
        network.find(half_dark(), side=320)


def test_resizing_keeps_what_is_not_read_here():
    data = onnx_files.network()
    graph = Graph(data)
    assert sorted(graph.serialize()) == sorted(data), "fields may change their order"
    graph.keep_first_output()
    graph.resize(old=1024, new=512)
    assert b"made for the tests" in graph.serialize()
    signature = Graph(graph.serialize()).signature()
    assert (signature.shape, signature.outputs) == ((1, 3, 512, 512), 1)


def test_only_the_first_output_is_computed(tmp_path):
    network = opened(tmp_path, FILES["isnet"])
    network.find(half_dark(), side=512)
    (session,) = network._sessions.values()
    assert len(session.get_outputs()) == 1


def test_a_session_is_opened_once_and_kept_unless_it_is_large(tmp_path, monkeypatch):
    network = opened(tmp_path, FILES["isnet"])
    opened_graphs = []
    monkeypatch.setattr(
        network_module, "Graph", lambda data: opened_graphs.append(1) or Graph(data)
    )
    network.verify()
    for _ in range(3):
        network.find(half_dark(), side=512)
    assert len(opened_graphs) == 2, "once to recognise it, once to run it"
    network.find(half_dark(), side=1024, keep=False)
    assert not network._sessions, "a large one has the memory to itself"
    network.find(half_dark(), side=512)
    assert list(network._sessions) == [512]


def test_threads_share_a_session_and_find_the_same(tmp_path):
    network = opened(tmp_path, FILES["u2net"])
    expected = network.find(half_dark(), side=320)
    results = []

    def work():
        results.append(network.find(half_dark(), side=320))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert len(results) == 4
    assert all(np.array_equal(each, expected) for each in results)
    assert len(network._sessions) == 1


def unusable(network: Network) -> NetworkUnusable:
    with pytest.raises(NetworkUnusable) as caught:
        network.verify()
    return caught.value


def test_missing_weights_are_named(tmp_path):
    network = Network(tmp_path / "gone.onnx", checksum="0" * 64)
    error = unusable(network)
    assert error.code == "missing" and "gone.onnx" in str(error)


def test_weights_that_are_cut_off_are_found_by_their_checksum(tmp_path):
    network = opened(tmp_path, FILES["u2net"])
    network.path.write_bytes(onnx_files.cut_off(FILES["u2net"]))
    error = unusable(network)
    assert error.code == "checksum" and network.checksum in str(error)


@pytest.mark.parametrize(
    "data", [onnx_files.not_a_network(), onnx_files.cut_off(FILES["u2net"]), b""]
)
def test_a_file_that_is_no_network_is_refused_though_its_checksum_is_right(data, tmp_path):
    assert unusable(opened(tmp_path, data)).code == "graph"


def test_a_network_of_an_unknown_family_is_refused_with_its_input(tmp_path):
    network = opened(tmp_path, onnx_files.network(side=640))
    error = unusable(network)
    assert error.code == "graph" and "640" in str(error) and "birefnet" in str(error)


def test_a_family_that_is_stated_is_believed(tmp_path):
    network = opened(tmp_path, onnx_files.network(side=320, attention=True), family="u2net")
    assert network.verify() is FAMILIES["u2net"]


def test_without_onnxruntime_the_extra_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    error = unusable(opened(tmp_path, FILES["u2net"]))
    assert error.code == "package" and "nb-catalog[cutout]" in str(error)


@pytest.mark.parametrize(
    ("options", "what"),
    [
        ({"checksum": "abc"}, "64 hexadecimal digits"),
        ({"checksum": "0" * 64, "family": "isnte"}, "Did you mean 'isnet'"),
        ({"checksum": "0" * 64, "threads": 0}, "at least 1"),
    ],
)
def test_options_that_cannot_be_meant_are_refused(options, what):
    with pytest.raises(ValueError, match=what):
        Network(Path("x.onnx"), **options)


def test_u2net_is_given_a_photo_scaled_by_its_brightest_value():
    dark = np.full((4, 4, 3), 100, np.uint8)
    plain = replace(FAMILIES["u2net"], by_brightest=False)
    assert FAMILIES["u2net"].prepare(dark)[0, 0, 0, 0] == pytest.approx((1 - 0.485) / 0.229)
    assert plain.prepare(dark)[0, 0, 0, 0] == pytest.approx((100 / 255 - 0.485) / 0.229)
