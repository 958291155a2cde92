"""A node in the middle that fails on purpose: silent, slow, rude or lying."""

import json
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
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


class FaultProxy:
    """Forwards JSON-RPC to a node, or does what `fault` says; `lie` rewrites single answers."""

    def __init__(self, node_url: str) -> None:
        self.node_url = node_url
        self.fault = Fault.NONE
        self.lie: Lie | None = None
        self.requests = 0
        self.released = threading.Event()

    def answer(self, body: bytes) -> bytes:
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


def _handler(proxy: FaultProxy) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            proxy.requests += 1
            match proxy.fault:
                case Fault.HANG_UP:
                    self.close_connection = True
                case Fault.SILENCE:
                    proxy.released.wait(30)
                    self.close_connection = True
                case Fault.HTTP_500:
                    self._send(b"{}", status=500)
                case Fault.NOT_JSON:
                    self._send(b"<html>maintenance</html>")
                case Fault.CUT:
                    answer = proxy.answer(body)
                    self._send(answer[: len(answer) // 2], length=len(answer))
                    self.close_connection = True
                case Fault.DRIP:
                    self._drip()
                case Fault.NONE:
                    self._send(proxy.answer(body))

        def _send(self, body: bytes, *, status: int = 200, length: int | None = None) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(body) if length is None else length))
            self.end_headers()
            self.wfile.write(body)

        def _drip(self) -> None:
            self._send(b"", length=1_000_000)
            for _ in range(300):
                if proxy.released.is_set():
                    return
                try:
                    self.wfile.write(b" ")
                except OSError:
                    return
                time.sleep(0.1)

        def log_message(self, format: str, *args: Any) -> None:
            return

    return Handler


@contextmanager
def fault_proxy(node_url: str) -> Iterator[tuple[FaultProxy, str]]:
    """A running proxy and its URL."""
    proxy = FaultProxy(node_url)
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(proxy))
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
