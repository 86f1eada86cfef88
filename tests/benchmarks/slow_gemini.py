"""A server that answers every generateContent with a 1.4 MB picture after 2.0 s. No two pictures
have the same bytes: each carries its number in a text chunk.

    python -m tests.benchmarks.slow_gemini PORT SECONDS

Written for measuring clients: it costs next to nothing itself.
"""

import asyncio
import base64
import io
import json
import struct
import sys
import zlib

import numpy as np
from PIL import Image


def picture(*, noise: float = 1.2) -> bytes:
    """A 1K PNG of about 1.4 MB: smooth ground, some noise, as pictures of products are."""
    random = np.random.default_rng(7)
    ramp = np.linspace(90, 200, 1024)[:, None, None]
    grain = random.normal(0, noise, (1024, 1024, 3))
    pixels = np.clip(ramp + grain, 0, 255).astype(np.uint8)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG", compress_level=6)
    return file.getvalue()


END = b"\x00\x00\x00\x00IEND\xaeB`\x82"


def numbered_end(number: int) -> bytes:
    """The last two chunks of a PNG: a text with ``number``, and the end."""
    text = b"tEXtNumber\x00%012d" % number
    return struct.pack(">I", len(text) - 4) + text + struct.pack(">I", zlib.crc32(text)) + END


def template(data: bytes) -> tuple[bytes, bytes, bytes]:
    """A reply in two halves, and the few bytes of the picture that belong between them."""
    body = data.removesuffix(END)
    whole = len(body) // 3 * 3  # what base64 can encode on its own
    rest = body[whole:]
    parts = [{"inlineData": {"mimeType": "image/png", "data": "@"}}]
    said = {
        "candidates": [{"content": {"role": "model", "parts": parts}, "finishReason": "STOP"}],
        "usageMetadata": {
            "promptTokenCount": 1300,
            "candidatesTokenCount": 1120,
            "totalTokenCount": 2420,
            "candidatesTokensDetails": [{"modality": "IMAGE", "tokenCount": 1120}],
        },
        "modelVersion": "gemini-3.1-flash-lite-image",
        "responseId": "r1",
    }
    before, after = json.dumps(said).encode().split(b"@")
    encoded = base64.b64encode(body[:whole])
    length = len(before) + len(encoded) + len(base64.b64encode(rest + numbered_end(0))) + len(after)
    head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
    return (head % length).encode() + before + encoded, rest, after


class Server(asyncio.Protocol):
    reply = (b"", b"", b"")
    seconds = 2.0
    count = 0

    def connection_made(self, transport):
        self.transport = transport
        self.buffer = b""

    def data_received(self, data):
        self.buffer += data
        while (end := self.buffer.find(b"\r\n\r\n")) >= 0:
            head = self.buffer[:end].lower()
            length = 0
            if (at := head.find(b"content-length:")) >= 0:
                length = int(head[at + 15 :].split(b"\r\n", 1)[0])
            if len(self.buffer) < end + 4 + length:
                return
            self.buffer = self.buffer[end + 4 + length :]
            asyncio.get_running_loop().call_later(self.seconds, self.send)

    def send(self):
        if not self.transport.is_closing():
            Server.count += 1
            first, rest, last = self.reply
            end = base64.b64encode(rest + numbered_end(Server.count))
            self.transport.writelines((first, end, last))


async def serve(port: int, seconds: float) -> None:
    data = picture()
    Server.reply, Server.seconds = template(data), seconds
    server = await asyncio.get_running_loop().create_server(Server, "127.0.0.1", port, backlog=1024)
    print("ready", server.sockets[0].getsockname()[1], len(data), flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1]), float(sys.argv[2])))
