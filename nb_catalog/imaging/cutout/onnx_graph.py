"""Reading and resizing the graph of a segmentation network in ONNX's file format."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from nb_catalog.imaging.cutout.onnx_schema import INT64, model_class

# Nodes between the one that decides what an output means and the output.
_TRANSPARENT: Final = frozenset({"Identity", "Cast", "Reshape", "Squeeze", "Unsqueeze"})


class GraphUnreadable(ValueError):
    """A file that is not an ONNX graph, or is cut off."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Signature:
    """What distinguishes a network from others.

    ``shape`` is that of its only input, 0 for a size that is not fixed; ``operators`` are the kinds of
    its nodes; ``is_probability`` says that its first output comes from a sigmoid, so that it is 0 to 1.
    """

    shape: tuple[int, ...]
    inputs: int
    outputs: int
    operators: frozenset[str]
    is_probability: bool


class Graph:
    """A network's graph, parsed. Weights are in it: drop it once ``serialize`` was called."""

    def __init__(self, data: bytes) -> None:
        """Parse the bytes of a file. Raises ``GraphUnreadable``, and ``ImportError`` without protobuf."""
        self._model: Any = model_class()()
        try:
            self._model.ParseFromString(data)
        except Exception as error:  # noqa: BLE001 - its class depends on protobuf's implementation
            raise GraphUnreadable(f"{error}") from error
        self._graph = self._model.graph
        if not self._graph.node or not self._graph.output:
            raise GraphUnreadable("it has no nodes or no outputs")
        self._initializers = {each.name: each for each in self._graph.initializer}
        self._producers = {name: node for node in self._graph.node for name in node.output}

    def signature(self) -> Signature:
        # Old exporters list weights among the inputs.
        inputs = [each for each in self._graph.input if each.name not in self._initializers]
        shape = (
            tuple(int(dim.dim_value) for dim in inputs[0].type.tensor_type.shape.dim)
            if inputs
            else ()
        )
        name = self._graph.output[0].name
        while (last := self._producers.get(name)) is not None and last.op_type in _TRANSPARENT:
            name = last.input[0]
        return Signature(
            shape=shape,
            inputs=len(inputs),
            outputs=len(self._graph.output),
            operators=frozenset(node.op_type for node in self._graph.node),
            is_probability=last is not None and last.op_type == "Sigmoid",
        )

    def keep_first_output(self) -> None:
        """Drop all other outputs: they are refinements for training, and cost memory."""
        del self._graph.output[1:]

    def resize(self, *, old: int, new: int) -> None:
        """Let the network run on pictures of ``new`` × ``new`` pixels in place of ``old`` × ``old``.

        Its convolutions take any size; what is fixed are the sizes to which Resize nodes enlarge, which
        are constants. ``new`` is a multiple of 32, because the network halves five times. Raises
        ``GraphUnreadable`` if a size is computed in a way that is not known here.
        """
        for node in self._graph.node:
            if node.op_type == "Resize" and len(node.input) > 3 and node.input[3]:
                self._scale_sizes(node.input[3], by=new / old)
        # What was inferred for the old size would contradict the new one.
        del self._graph.value_info[:]
        for value in (*self._graph.input, *self._graph.output):
            for dim in value.type.tensor_type.shape.dim[2:]:
                if dim.dim_value == old:
                    dim.dim_value = new

    def serialize(self) -> bytes:
        """Return the bytes of the file."""
        return bytes(self._model.SerializeToString())

    def _scale_sizes(self, name: str, *, by: float) -> None:
        """Scale the height and width in the four sizes that a Resize node takes.

        They are one constant of four numbers, or the constant two joined to those of the batch.
        """
        tensor = self._constant(name)
        if tensor is None:
            joined = self._producers.get(name)
            if joined is None or joined.op_type != "Concat" or len(joined.input) != 2:
                raise GraphUnreadable("it computes the sizes of its layers")
            tensor = self._constant(joined.input[1])
        if tensor is None or tensor.data_type != INT64:
            raise GraphUnreadable("it computes the sizes of its layers")
        sizes = (
            np.frombuffer(tensor.raw_data, "<i8").astype(np.int64)
            if tensor.raw_data
            else np.array(tensor.int64_data, np.int64)
        )
        sizes[-2:] = np.round(sizes[-2:] * by)
        tensor.ClearField("int64_data")
        tensor.raw_data = sizes.astype("<i8").tobytes()

    def _constant(self, name: str) -> Any | None:
        """Return the tensor of a constant: a weight, or the value of a Constant node."""
        if name in self._initializers:
            return self._initializers[name]
        node = self._producers.get(name)
        if node is not None and node.op_type == "Cast":
            return self._constant(node.input[0])
        if node is None or node.op_type != "Constant":
            return None
        return next((each.t for each in node.attribute if each.name == "value"), None)
