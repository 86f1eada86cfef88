"""A segmentation network on onnxruntime: opened at its first use, once in a process."""

from __future__ import annotations

import re
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from threading import Lock
from typing import Any, Final

import numpy as np
from PIL import Image

from nb_catalog.core.text import message, message_line, nearest
from nb_catalog.exceptions import InvalidSettings
from nb_catalog.imaging.cutout.background import Floats
from nb_catalog.imaging.cutout.families import FAMILIES, Family, family_of
from nb_catalog.imaging.cutout.onnx_graph import Graph, GraphUnreadable

# The name by which the translators' tools find texts.
_ = message

INSTALL: Final = "pip install 'nb-catalog[cutout]'"


class NetworkUnusable(InvalidSettings):
    """The network cannot be run; ``code`` says why: "package", "missing", "checksum" or "graph"."""

    def __init__(self, what: str, *, code: str) -> None:
        super().__init__(what, path="NB_CATALOG['CUTOUT']")
        self.code = code


class Network:
    """A file of weights, and the sessions that run it: one for each size, opened at its first use.

    Threads wait for each other: each photo in work takes hundreds of megabytes, and a photo already
    uses ``threads`` cores.
    """

    def __init__(self, path: Path, *, checksum: str, family: str = "", threads: int = 2) -> None:
        """Raises ``ValueError`` for a checksum, family or number that is not one."""
        if not re.fullmatch("[0-9a-fA-F]{64}", checksum):
            raise ValueError(f"'sha256' must be 64 hexadecimal digits, got {checksum!r}")
        if family and family not in FAMILIES:
            raise ValueError(f"there is no family {family!r}.{nearest(family, FAMILIES)}")
        if isinstance(threads, bool) or not isinstance(threads, int) or threads < 1:
            raise ValueError(f"'threads' must be a whole number, at least 1, got {threads!r}")
        self.path = path
        self.checksum = checksum.lower()
        self.threads = threads
        self._family_name = family
        self._family: Family | None = None
        self._is_probability = True
        self._sides: tuple[int, ...] = ()
        self._sessions: dict[int, Any] = {}
        self._lock = Lock()

    def verify(self) -> Family:
        """Return the family. Raises ``NetworkUnusable`` if the package or the file is missing, if the
        file's checksum is not the stated one, or the graph is of no known family."""
        with self._lock:
            return self._opened_family()

    def sides(self) -> tuple[int, ...]:
        """Return the sizes at which the network runs, the first one first. Raises ``NetworkUnusable``."""
        self.verify()
        return self._sides

    def find(self, photo: Image.Image, *, side: int, keep: bool = True) -> Floats:
        """Return where in ``photo``, "RGB", the network finds a product: (side, side), 0..1.

        The photo is squashed to a square, and the values are not stretched: their range says how
        certain the network is. ``keep`` says whether the session stays open for the next photo; one that
        does not has the memory to itself while it is open. Raises ``NetworkUnusable``.
        """
        small = np.asarray(photo.resize((side, side), Image.Resampling.BILINEAR))
        with self._lock:
            if not keep:
                self._sessions.clear()
            session = self._session(side, keep=keep)
            inputs = {session.get_inputs()[0].name: self._opened_family().prepare(small)}
            outputs = session.run(None, inputs)
            del session
        found = np.asarray(outputs[0], np.float32).reshape(-1, side, side)[0]
        if not self._is_probability:
            found = 1 / (1 + np.exp(-np.clip(found, -30, 30)))
        return np.asarray(np.clip(found, 0, 1), np.float32)

    def _opened_family(self) -> Family:
        if self._family is None:
            graph = self._read()
            signature = graph.signature()
            family = FAMILIES.get(self._family_name) or family_of(signature)
            if family is None:
                what = _(
                    "The file %(file)s holds a network of an unknown family: its input is %(shape)s. Known "
                    "families: %(names)s."
                )
                raise self._unusable(
                    what, code="graph", shape=signature.shape, names=", ".join(FAMILIES)
                )
            self._is_probability = signature.is_probability
            self._sides = (family.side,)
            if family.smaller:
                with suppress(GraphUnreadable):
                    graph.resize(old=family.side, new=family.smaller)
                    self._sides = (family.smaller, family.side)
            self._family, self._family_name = family, family.name
        return self._family

    def _session(self, side: int, *, keep: bool) -> Any:
        if side in self._sessions:
            return self._sessions[side]
        onnxruntime = import_onnxruntime()
        graph = self._read()
        graph.keep_first_output()
        family = self._opened_family()
        if side != family.side:
            graph.resize(old=family.side, new=side)
        data = graph.serialize()
        del graph
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = self.threads
        options.inter_op_num_threads = 1
        # Planning all buffers at once takes 280 MB more, and saves no time.
        options.enable_mem_pattern = False
        # Threads that wait for work would otherwise use the worker's CPU.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        # An arena keeps what a photo took for the next one.
        options.enable_cpu_mem_arena = keep
        try:
            session = onnxruntime.InferenceSession(
                data, options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:  # noqa: BLE001 - onnxruntime's errors have no common class
            what = _("The network in %(file)s cannot be run: %(why)s.")
            raise self._unusable(what, code="graph", why=message_line(error)) from error
        if keep:
            self._sessions[side] = session
        return session

    def _read(self) -> Graph:
        """Return the parsed file if it is the one whose checksum was stated."""
        import_onnxruntime()
        try:
            data = self.path.read_bytes()
        except OSError as error:
            what = _("The network's file %(file)s cannot be read: %(why)s.")
            raise self._unusable(what, code="missing", why=error.strerror) from error
        found = sha256(data).hexdigest()
        if found != self.checksum:
            what = _(
                "The file %(file)s is not the network that was stated, or is cut off: its sha256 is "
                "%(found)s, expected %(stated)s."
            )
            raise self._unusable(what, code="checksum", found=found, stated=self.checksum)
        try:
            return Graph(data)
        except GraphUnreadable as error:
            what = _("The file %(file)s is not an ONNX network: %(why)s.")
            raise self._unusable(what, code="graph", why=error) from error

    def _unusable(self, what: str, *, code: str, **values: object) -> NetworkUnusable:
        return NetworkUnusable(what % {"file": self.path, **values}, code=code)


def import_onnxruntime() -> Any:
    """Return the package onnxruntime. Raises ``NetworkUnusable`` if it is not installed."""
    try:
        import onnxruntime
    except ImportError as error:
        what = _("A network needs the package onnxruntime, which is not installed: %(install)s")
        raise NetworkUnusable(what % {"install": INSTALL}, code="package") from error
    return onnxruntime
