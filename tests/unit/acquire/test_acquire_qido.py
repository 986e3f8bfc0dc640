"""QIDO-RS page after page, from servers that page, that do not, and that warn of something else."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from urllib.parse import parse_qs, urlsplit

import pytest

from quadphase.acquire.address import WebAddress, parse_address
from quadphase.acquire.web import WebArchive
from quadphase.errors import SourceUnreachableError
from quadphase.model.protocol.sections import PacsSection

MORE = "299 archive: There are 3 additional results that can be requested"
OTHER_WARNING = "299 archive: The fuzzymatching parameter is not supported. Only literal matching has been performed."

Server = Callable[..., WebArchive]


@pytest.fixture
def server() -> Iterator[Server]:
    """``server(n, page=…, pages=…, warning=…)``: an archive of n instances; after 20 requests it gives up."""
    running: list[HTTPServer] = []

    def start(total: int, *, page: int, pages: bool, warning: str, always: bool = False) -> WebArchive:
        class Handler(BaseHTTPRequestHandler):
            asked = 0

            def do_GET(self) -> None:
                Handler.asked += 1
                if Handler.asked > 20:
                    self.send_error(500)
                    return
                offset = int(parse_qs(urlsplit(self.path).query).get("offset", ["0"])[0]) if pages else 0
                items = [{"00080018": {"vr": "UI", "Value": [f"1.2.{n}"]}} for n in range(offset, total)][:page]
                body = json.dumps(items).encode()
                self.send_response(200)
                if always or offset + len(items) < total:
                    self.send_header("Warning", warning)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        made = HTTPServer(("127.0.0.1", 0), Handler)
        running.append(made)
        threading.Thread(target=made.serve_forever, daemon=True).start()
        address = parse_address(f"http://127.0.0.1:{made.server_port}/dicom-web")
        assert isinstance(address, WebAddress)
        return WebArchive(address, PacsSection(timeout_s=5.0))

    yield start
    for each in running:
        each.shutdown()
        each.server_close()


def test_pages_are_put_together(server: Server) -> None:
    archive = server(8, page=3, pages=True, warning=MORE)
    assert archive.instances("1", "2") == [f"1.2.{n}" for n in range(8)]


def test_a_warning_about_something_else_ends_the_asking(server: Server) -> None:
    for pages in (True, False):
        archive = server(5, page=10, pages=pages, warning=OTHER_WARNING, always=True)
        assert archive.instances("1", "2") == [f"1.2.{n}" for n in range(5)]


def test_results_kept_back_by_a_server_that_does_not_page_are_said(server: Server) -> None:
    archive = server(8, page=5, pages=False, warning=MORE)
    with pytest.raises(SourceUnreachableError) as caught:
        archive.instances("1", "2")
    assert caught.value.code == "incomplete-answer"
