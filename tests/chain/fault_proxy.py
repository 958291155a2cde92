"""A node in the middle that fails on purpose: silent, slow, rude or lying."""

import json
import threading
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from enum import Enum
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Lie = Callable[[dict[str, Any], dict[str, Any]], Any]


class Fault(Enum):
    """What happens to a request instead of an answer."""

    NONE = "pass it on"
    HANG_UP = "close the connection without a byte"
    SILENCE = "never answer"
    DRIP = "a byte now and then, for ever"
    HTTP_500 = "a server error"
    NOT_JSON = "an error page"
    CUT = "half of the answer, then close"


_PAGES = {
    Fault.HTTP_500: (500, b"{}"),
    Fault.NOT_JSON: (200, b"<html>maintenance</html>"),
}


class FaultProxy:
    """Forwards JSON-RPC to a node, or does what `fault` says; `lie` rewrites single answers.

    `before` is called with each request's body before it is passed on.
    """

    def __init__(self, node_url: str) -> None:
        self.node_url = node_url
        self.fault = Fault.NONE
        self.lie: Lie | None = None
        self.before: Callable[[bytes], None] | None = None
        self.authorization: str | None = None
        self.requests = 0
        self.released = threading.Event()

    def answer(self, body: bytes) -> bytes:
        if self.before is not None:
            self.before(body)
        request = urllib.request.Request(self.node_url, body, {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=10) as response:
            raw: bytes = response.read()
        if self.lie is None:
            return raw
        asked, answers = json.loads(body), json.loads(raw)
        if isinstance(asked, dict):
            return json.dumps(self.lie(asked, answers)).encode()
        by_id = {one["id"]: one for one in answers}
        return json.dumps([self.lie(one, by_id[one["id"]]) for one in asked]).encode()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    proxy: FaultProxy

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        fault = self.proxy.fault
        self.proxy.requests += 1
        self.proxy.authorization = self.headers["Authorization"]
        if fault is Fault.NONE:
            self._send(self.proxy.answer(body))
        elif fault is Fault.DRIP:
            self._drip()
        elif fault in _PAGES:
            status, page = _PAGES[fault]
            self._send(page, status=status)
        else:
            self._break_off(body)

    def _break_off(self, body: bytes) -> None:
        if self.proxy.fault is Fault.SILENCE:
            self.proxy.released.wait(30)
        elif self.proxy.fault is Fault.CUT:
            answer = self.proxy.answer(body)
            self._send(answer[: len(answer) // 2], length=len(answer))
        self.close_connection = True

    def _send(self, body: bytes, *, status: int = 200, length: int | None = None) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body) if length is None else length))
        self.end_headers()
        # A client that lost patience is what some tests are about.
        with suppress(BrokenPipeError):
            self.wfile.write(body)

    def _drip(self) -> None:
        self._send(b"", length=1_000_000)
        while not self.proxy.released.wait(0.1):
            try:
                self.wfile.write(b" ")
            except OSError:
                return

    def log_message(self, format: str, *args: Any) -> None:
        return


@contextmanager
def fault_proxy(node_url: str) -> Iterator[tuple[FaultProxy, str]]:
    """A running proxy and its URL."""
    proxy = FaultProxy(node_url)
    handler = type("Handler", (_Handler,), {"proxy": proxy})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield proxy, f"http://127.0.0.1:{server.server_address[1]}/secret-access-key"
    finally:
        proxy.released.set()
        server.shutdown()
        server.server_close()
        thread.join()
