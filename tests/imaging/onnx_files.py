"""Small networks for the tests, written field by field in ONNX's file format.

Each takes what is dark for the product, so that the true mask is known; its layers halve and enlarge the
picture as those of real networks do.
"""

from __future__ import annotations

import struct
from hashlib import sha256

import numpy as np

FLOAT, INT64 = 1, 7
INTS, TENSOR = 7, 4  # AttributeProto.AttributeType


def varint(number: int) -> bytes:
    out = b""
    while number > 0x7F:
        out += bytes([number & 0x7F | 0x80])
        number >>= 7
    return out + bytes([number])


def field(number: int, value: int | bytes | str) -> bytes:
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    content = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(content)) + content


def tensor(name: str, values: np.ndarray) -> bytes:
    kind = INT64 if values.dtype == np.int64 else FLOAT
    dims = b"".join(field(1, each) for each in values.shape)
    return dims + field(2, kind) + field(8, name) + field(9, values.tobytes())


def value(name: str, *shape: int) -> bytes:
    dims = b"".join(field(1, field(1, each)) for each in shape)
    return field(1, name) + field(2, field(1, field(1, FLOAT) + field(2, dims)))


def ints(name: str, *numbers: int) -> bytes:
    return field(1, name) + b"".join(field(8, each) for each in numbers) + field(20, INTS)


def constant(name: str, values: np.ndarray) -> bytes:
    attribute = field(1, "value") + field(5, tensor("", values)) + field(20, TENSOR)
    return node("Constant", [], [name], attribute)


def node(kind: str, inputs: list[str], outputs: list[str], *attributes: bytes) -> bytes:
    return (
        b"".join(field(1, each) for each in inputs)
        + b"".join(field(2, each) for each in outputs)
        + field(4, kind)
        + b"".join(field(5, each) for each in attributes)
    )


def network(
    *,
    side: int = 1024,
    logits: bool = False,
    attention: bool = False,
    outputs: int = 3,
    sizes: str = "constant",
    steepness: float = 60.0,
    bias: float = 0.0,
) -> bytes:
    """A network for pictures of ``side``: the probability is a half at the middle of its input's scale.

    ``sizes`` is how its Resize node gets its sizes: as a "constant", "joined" to those of the batch, or
    "computed" in a way that no network is known for.
    """
    weights = np.full((1, 3, 1, 1), -steepness / 3, np.float32)
    nodes = [
        node("Conv", ["photo", "weights", "bias"], ["dark"]),
        node("MaxPool", ["dark"], ["half"], ints("kernel_shape", 2, 2), ints("strides", 2, 2)),
    ]
    target = np.array([1, 1, side, side], np.int64)
    if sizes == "constant":
        nodes.append(constant("sizes", target))
    elif sizes == "joined":
        nodes += [constant("batch", target[:2]), constant("area", target[2:])]
        nodes.append(
            node(
                "Concat",
                ["batch", "area"],
                ["sizes"],
                field(1, "axis") + field(3, 0) + field(20, 2),
            )
        )
    else:
        nodes += [constant("given", target), constant("one", np.array([1], np.int64))]
        nodes.append(node("Mul", ["given", "one"], ["sizes"]))
    nodes.append(node("Resize", ["half", "", "", "sizes"], ["logits"]))
    nodes.append(node("Sigmoid", ["logits"], ["probability"]))
    first, second = ("logits", "probability") if logits else ("probability", "logits")
    shape = (1, 1, side, side)
    given = [value(first, *shape), value(second, *shape)]
    if attention:
        nodes.append(node("Softmax", ["logits"], ["attention"]))
        given.append(value("attention", *shape))
    graph = (
        b"".join(field(1, each) for each in nodes)
        + field(2, "made for the tests")
        + field(5, tensor("weights", weights))
        + field(5, tensor("bias", np.array([bias], np.float32)))
        + field(11, value("photo", 1, 3, side, side))
        + b"".join(field(12, each) for each in given[:outputs])
        + field(13, value("half", 1, 1, side // 2, side // 2))
    )
    return field(1, 8) + field(2, "nb_catalog's tests") + field(7, graph) + field(8, field(2, 17))


def save(path, data: bytes) -> dict[str, str]:
    """Write a network and return the options of a backend that runs it."""
    path.write_bytes(data)
    return {"path": str(path), "sha256": sha256(data).hexdigest()}


def cut_off(data: bytes) -> bytes:
    return data[: len(data) * 2 // 3]


def not_a_network() -> bytes:
    return struct.pack("<8Q", *range(8)) * 64
