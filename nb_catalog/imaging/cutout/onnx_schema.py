"""The part of ONNX's file format that is read here, as protocol buffer messages.

Field numbers from onnx.proto (https://github.com/onnx/onnx/blob/main/onnx/onnx.proto, Apache-2.0).
Fields that are not declared survive parsing and serializing, as protocol buffers promise.
"""

from __future__ import annotations

from functools import cache
from typing import Any, Final

PACKAGE: Final = "nb_catalog.onnx"

# message -> its fields: number, name, type, and whether it is repeated.
_MESSAGES: Final[dict[str, tuple[tuple[int, str, str, bool], ...]]] = {
    "Model": ((7, "graph", "Graph", False),),
    "Graph": (
        (1, "node", "Node", True),
        (5, "initializer", "Tensor", True),
        (11, "input", "ValueInfo", True),
        (12, "output", "ValueInfo", True),
        (13, "value_info", "ValueInfo", True),
    ),
    "Node": (
        (1, "input", "string", True),
        (2, "output", "string", True),
        (4, "op_type", "string", False),
        (5, "attribute", "Attribute", True),
    ),
    "Attribute": ((1, "name", "string", False), (5, "t", "Tensor", False)),
    "Tensor": (
        (1, "dims", "int64", True),
        (2, "data_type", "int32", False),
        (7, "int64_data", "packed int64", True),
        (8, "name", "string", False),
        (9, "raw_data", "bytes", False),
    ),
    "ValueInfo": ((1, "name", "string", False), (2, "type", "Type", False)),
    "Type": ((1, "tensor_type", "TensorType", False),),
    "TensorType": ((2, "shape", "Shape", False),),
    "Shape": ((1, "dim", "Dimension", True),),
    "Dimension": ((1, "dim_value", "int64", False),),
}
INT64: Final = 7
"""``TensorProto.DataType`` of 64-bit integers."""


@cache
def model_class() -> type[Any]:
    """Return the class of a whole model. Raises ``ImportError`` if protobuf, which onnxruntime brings
    along, is not installed."""
    from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

    file = descriptor_pb2.FileDescriptorProto(
        name="nb_catalog_onnx.proto", package=PACKAGE, syntax="proto2"
    )
    kinds = descriptor_pb2.FieldDescriptorProto
    for name, fields in _MESSAGES.items():
        message = file.message_type.add(name=name)
        for number, field_name, kind, is_repeated in fields:
            field = message.field.add(
                name=field_name,
                number=number,
                label=kinds.LABEL_REPEATED if is_repeated else kinds.LABEL_OPTIONAL,
            )
            scalar = kind.removeprefix("packed ")
            if scalar in _MESSAGES:
                field.type, field.type_name = kinds.TYPE_MESSAGE, f".{PACKAGE}.{scalar}"
            else:
                field.type = getattr(kinds, f"TYPE_{scalar.upper()}")
            if scalar != kind:
                field.options.packed = True
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    found = pool.FindMessageTypeByName(f"{PACKAGE}.Model")
    return message_factory.GetMessageClass(found)  # type: ignore[no-any-return,unused-ignore]
