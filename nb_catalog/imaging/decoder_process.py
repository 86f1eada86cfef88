"""Decoding in a process of its own, whose memory and time are bounded.

For pictures that are large or unusual: whatever they do to a decoder, the worker lives on. Each gets a
process of its own, which starts in a quarter of a second; decoding such a picture takes seconds. A fork
would start faster, but may hang in a process with threads.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from threading import Lock, Timer
from typing import IO, Any, Final, cast

from PIL import Image

from nb_catalog.core.text import message as _
from nb_catalog.exceptions import PictureError, PictureTooLarge, PictureUnreadable
from nb_catalog.imaging.srgb import STRIP_PIXELS

try:
    import resource
except ImportError:  # Windows has no such limits; time is bounded there as well
    resource = None  # type: ignore[assignment]

BYTES_PER_PIXEL: Final = 4
SPARE_BYTES: Final = 200_000_000
"""Memory for a picture: the pixels once, and this."""
RESERVE: Final = 64_000_000
CPU_SECONDS = 60
SECONDS = 180
"""A large picture takes one or two seconds. The second bound is for machines that are busy."""

ERRORS: Final = {each.code: each for each in (PictureTooLarge, PictureUnreadable)}
COMMAND: Final = "from nb_catalog.imaging.decoder_process import main; main()"
READY: Final = b"ready\n"

# One at a time: two large pictures together would take twice the memory.
_turn = Lock()


class DecoderUnavailable(Exception):
    """No process can be started here."""


def decode_apart(
    data: bytes, *, most_bytes: int, **request: Any
) -> tuple[dict[str, Any], Image.Image | None]:
    """Call ``inspect.decode_here`` in a process that has ``most_bytes`` for the picture.

    Returns its facts as plain data, and the picture if ``request`` asks for it. Raises
    ``PictureError``, and ``DecoderUnavailable`` if no process can be started.
    """
    environment = {
        **os.environ,
        # Each thread of numpy's libraries would reserve memory of its own.
        "OPENBLAS_NUM_THREADS": "1",
        "OMP_NUM_THREADS": "1",
        "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
    }
    with _turn:
        try:
            process = subprocess.Popen(  # noqa: S603 - our own interpreter and code
                [_interpreter(), "-P", "-c", COMMAND],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env=environment,
            )
        except OSError as error:
            raise DecoderUnavailable from error
        stdin, stdout = cast("IO[bytes]", process.stdin), cast("IO[bytes]", process.stdout)
        timer = Timer(SECONDS, process.kill)
        timer.start()
        try:
            with stdout:
                header = {
                    **request,
                    # Its file is in the process's memory twice, and address space is reserved ahead.
                    "most_bytes": most_bytes + 2 * len(data) + RESERVE,
                    "cpu_seconds": CPU_SECONDS,
                    "length": len(data),
                }
                with suppress(BrokenPipeError), stdin:
                    stdin.write(json.dumps(header).encode() + b"\n")
                    stdin.write(data)
                return _receive(stdout)
        except EOFError as error:
            raise PictureTooLarge(
                _(
                    "Decoding the picture takes more memory or time than there is for a picture "
                    "(%(megabytes)s MB, %(seconds)s seconds), or breaks its decoder. Export it again, as a "
                    "plain PNG or JPEG."
                )
                % {"megabytes": f"{most_bytes // 1_000_000:,}", "seconds": CPU_SECONDS}
            ) from error
        finally:
            timer.cancel()
            process.kill()
            process.wait()


def _receive(stream: IO[bytes]) -> tuple[dict[str, Any], Image.Image | None]:
    """Read the facts and the picture's strips. Raises ``EOFError`` if the process has ended."""
    if stream.readline() != READY:
        raise DecoderUnavailable
    line = stream.readline()
    if not line.endswith(b"\n"):
        raise EOFError
    header = json.loads(line)
    if "error" in header:
        raise ERRORS.get(header["error"], PictureError)(header["message"])
    if "mode" not in header:
        return header["facts"], None
    mode, (width, height), rows = header["mode"], header["size"], header["rows"]
    image = Image.new(mode, (width, height))
    for top in range(0, height, rows):
        size = width, min(rows, height - top)
        pixels = stream.read(size[0] * size[1] * len(mode))
        if len(pixels) < size[0] * size[1] * len(mode):
            raise EOFError
        image.paste(Image.frombytes(mode, size, pixels), (0, top))
    return header["facts"], image


def _interpreter() -> str:
    """Return the path of Python. Where it is embedded in a server, ``sys.executable`` is the server."""
    if Path(sys.executable).name.lower().startswith(("python", "pypy")):
        return sys.executable
    return str(Path(sys.exec_prefix) / "bin" / "python3")


def main() -> None:
    """Decode the picture that comes in; the process does nothing else."""
    # Only here: the module that calls this one.
    from nb_catalog.imaging import inspect  # noqa: PLC0415

    stdin, stdout = sys.stdin.buffer, sys.stdout.buffer
    stdout.write(READY)
    stdout.flush()
    request = json.loads(stdin.readline())
    most_bytes, cpu_seconds = request.pop("most_bytes"), request.pop("cpu_seconds")
    if resource is not None:
        status = Path("/proc/self/statm")
        if status.exists():
            # Memory beside what this process has reserved already.
            most_bytes += int(status.read_text().split()[0]) * resource.getpagesize()
            resource.setrlimit(resource.RLIMIT_AS, (most_bytes, most_bytes))
        resource.setrlimit(resource.RLIMIT_CPU, (cpu_seconds, cpu_seconds + 5))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    try:
        facts, image = inspect.decode_here(stdin.read(request.pop("length")), **request)
    except PictureError as error:
        stdout.write(json.dumps({"error": error.code, "message": str(error)}).encode() + b"\n")
        return
    header: dict[str, Any] = {"facts": asdict(facts)}
    if image is None:
        stdout.write(json.dumps(header).encode() + b"\n")
        return
    rows = max(1, STRIP_PIXELS // image.width)
    header |= {"mode": image.mode, "size": image.size, "rows": rows}
    stdout.write(json.dumps(header).encode() + b"\n")
    for top in range(0, image.height, rows):
        box = (0, top, image.width, min(top + rows, image.height))
        stdout.write(image.crop(box).tobytes())
