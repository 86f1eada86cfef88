"""Downloads of large files: whole and as stated, or not at all."""

from __future__ import annotations

import threading
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from nb_catalog.exceptions import DownloadFailed
from nb_catalog.providers.downloads import download

CONTENT = bytes(range(256)) * 4096
CHECKSUM = sha256(CONTENT).hexdigest()


class Files(BaseHTTPRequestHandler):
    """/whole is the file, /short ends too early, /silent states no size; all else is not there."""

    def do_GET(self):
        if self.path not in {"/whole", "/short", "/silent"}:
            self.send_error(404)
            return
        self.send_response(200)
        if self.path != "/silent":
            self.send_header("Content-Length", str(len(CONTENT)))
        self.end_headers()
        self.wfile.write(CONTENT[:5000] if self.path == "/short" else CONTENT)

    def log_message(self, *_arguments):
        pass


@pytest.fixture
def server():
    with ThreadingHTTPServer(("127.0.0.1", 0), Files) as made:
        thread = threading.Thread(target=made.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{made.server_port}"
        made.shutdown()
        thread.join()


def get(url, target, *, checksum=CHECKSUM):
    blocks = []
    download(url, target=target, sha256=checksum, on_progress=lambda *each: blocks.append(each))
    return blocks


@pytest.mark.parametrize(("path", "total"), [("/whole", len(CONTENT)), ("/silent", 0)])
def test_a_file_arrives_whole_with_its_progress(server, tmp_path, path, total):
    target = tmp_path / "new" / "file.onnx"
    blocks = get(server + path, target)
    assert target.read_bytes() == CONTENT
    assert sum(count for count, _ in blocks) == len(CONTENT)
    assert {each for _, each in blocks} == {total}
    assert len(blocks) > 1
    assert target.stat().st_mode & 0o777 == 0o644


@pytest.mark.parametrize(
    ("path", "checksum", "what"),
    [
        ("/short", CHECKSUM, "cut off: 5000 of 1048576"),
        ("/whole", "0" * 64, "expected 0000"),
        ("/gone", CHECKSUM, "404|Not Found"),
    ],
)
def test_what_goes_wrong_leaves_what_was_there(server, tmp_path, path, checksum, what):
    target = tmp_path / "file.onnx"
    target.write_bytes(b"before")
    with pytest.raises(DownloadFailed, match=what):
        get(server + path, target, checksum=checksum)
    assert target.read_bytes() == b"before"
    assert list(tmp_path.iterdir()) == [target]


def test_a_server_that_does_not_answer_is_reported(tmp_path):
    with ThreadingHTTPServer(("127.0.0.1", 0), Files) as closed:
        address = f"http://127.0.0.1:{closed.server_port}/whole"
    with pytest.raises(DownloadFailed, match="could not be downloaded"):
        get(address, tmp_path / "file.onnx")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("url", ["file:///etc/hostname", "ftp://127.0.0.1/x", "weights.onnx"])
def test_only_the_web_is_read(url, tmp_path):
    with pytest.raises(DownloadFailed, match="https://"):
        get(url, tmp_path / "file.onnx")


def test_the_proxy_of_the_environment_is_used(server, tmp_path, monkeypatch):
    monkeypatch.setenv("http_proxy", server)
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    with pytest.raises(DownloadFailed, match="404|Not Found"):
        # A proxy is sent the whole address, which this server does not have.
        get("http://weights.invalid/whole", tmp_path / "file.onnx")
