"""What was computed last, kept up to a limit of bytes: results in a row are often made of one picture."""

from __future__ import annotations

from collections import OrderedDict
from threading import Lock
from typing import Generic, TypeVar

import numpy as np
import numpy.typing as npt

T = TypeVar("T", bound=tuple[npt.NDArray[np.generic], ...])


class RecentArrays(Generic[T]):
    """Tuples of arrays by key, read-only, of which those that were used last stay, up to ``max_bytes``.

    A tuple that is larger than that is not kept. All threads may use one.
    """

    def __init__(self, *, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._arrays: OrderedDict[bytes, T] = OrderedDict()
        self._lock = Lock()

    def get(self, key: bytes) -> T | None:
        with self._lock:
            if key in self._arrays:
                self._arrays.move_to_end(key)
            return self._arrays.get(key)

    def put(self, key: bytes, arrays: T) -> T:
        """Keep ``arrays`` and return them."""
        for each in arrays:
            each.flags.writeable = False
        if sum(each.nbytes for each in arrays) > self._max_bytes:
            return arrays
        with self._lock:
            self._arrays[key] = arrays
            self._arrays.move_to_end(key)
            while (
                sum(each.nbytes for kept in self._arrays.values() for each in kept)
                > self._max_bytes
            ):
                self._arrays.popitem(last=False)
        return arrays

    def clear(self) -> None:
        with self._lock:
            self._arrays.clear()
