"""A node in the middle that fails on purpose: silent, slow, rude, forgetful or lying.

Point an operator at its `url` instead of the node's; then break it while the operator works:

    with node_proxy(node.url) as proxy:
        proxy.outage(blocks=24)
        proxy.limit_rate(5, retry_after_s=2)
        proxy.drop_sends(3)
        proxy.fall_behind(4, share=0.5, seconds=10)
        proxy.heal()

Every fault ends by itself at its bound (seconds, blocks of the real chain, or a number of uses);
`hits` counts by name those that really met a request.
"""

from __future__ import annotations

import json
import random
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final

import urllib3

from simulation.node_faults import SEND, Fault, Lies, Message, SendFaults, Span, StuckBackend

Lie = Callable[[Message, Message], Any]
NODE_TIMEOUT_S: Final = 30
LONGEST_SILENCE_S: Final = 60
_JSON: Final = {"Content-Type": "application/json"}
_PAGES: Final = {
    Fault.HTTP_500: (500, b"{}"),
    Fault.BAD_GATEWAY: (502, b"<html>bad gateway</html>"),
    Fault.NOT_JSON: (200, b"<html>maintenance</html>"),
    Fault.TOO_MANY: (429, b'{"jsonrpc":"2.0","id":null,"error":{"code":-32005,"message":"limit"}}'),
}


class NodeProxy:
    """Forwards JSON-RPC to `node_url` except for the faults that are set; safe for many threads.

    `lie` rewrites single answers, `before` hears each request's body before it is passed on: for
    faults that have no name here.
    """

    def __init__(self, node_url: str, dice: random.Random | None = None) -> None:
        self.node_url = node_url
        self.url = ""
        self.hits: Counter[str] = Counter()
        self.requests = 0
        self.authorization: str | None = None
        self.lie: Lie | None = None
        self.before: Callable[[bytes], None] | None = None
        self.released = threading.Event()
        self._pool = urllib3.PoolManager(maxsize=32, retries=False)
        self._lock = threading.RLock()
        self._lies = Lies(dice or random.Random(0), self.hits)
        self._fault: tuple[Fault, Span] | None = None
        self._rate: tuple[int, float] | None = None
        self._recent: deque[float] = deque(maxlen=10_000)

    def fail(
        self,
        fault: Fault,
        *,
        seconds: float | None = None,
        blocks: int | None = None,
        requests: int | None = None,
    ) -> None:
        """Answer every request with `fault` until one of the bounds is reached."""
        with self._lock:
            self._fault = (fault, self._span(seconds, blocks, requests))

    def outage(self, *, seconds: float | None = None, blocks: int | None = None) -> None:
        """The node cannot be spoken to; its chain goes on."""
        self.fail(Fault.HANG_UP, seconds=seconds, blocks=blocks)

    def limit_rate(self, per_second: int, *, retry_after_s: float = 1.0) -> None:
        """Refuse what comes faster, with 429 and Retry-After, until `heal`."""
        with self._lock:
            self._rate = (per_second, retry_after_s)

    def fall_behind(
        self,
        blocks_behind: int,
        *,
        share: float = 1.0,
        seconds: float | None = None,
        blocks: int | None = None,
    ) -> None:
        """Answer `share` of the requests from a node that stopped `blocks_behind` blocks ago."""
        with self._lock:
            height = max(0, self.height() - blocks_behind)
            self._lies.stuck = StuckBackend(height, share, self._span(seconds, blocks, None))

    def withhold_receipts(
        self, *, seconds: float | None = None, blocks: int | None = None, times: int | None = None
    ) -> None:
        """Know of no receipt."""
        with self._lock:
            self._lies.no_receipts = self._span(seconds, blocks, times)

    def pretend_chain(self, chain_id: int) -> None:
        """Speak for another chain until `heal`."""
        with self._lock:
            self._lies.chain_id = chain_id

    def drop_sends(self, times: int) -> None:
        """Say yes to the next transactions and throw them away."""
        with self._lock:
            self._lies.sends.drop = times

    def refuse_sends(self, words: str, *, times: int) -> None:
        """Refuse the next transactions in the node's words, for example "already known"."""
        with self._lock:
            self._lies.sends.refusals.extend([words] * times)

    def mute_sends(self, times: int) -> None:
        """Take the next transactions and say that it failed."""
        with self._lock:
            self._lies.sends.mute = times

    def hold_sends(self) -> None:
        """Say yes to transactions and keep them until `release_sends`."""
        with self._lock:
            self._lies.sends.holding = True

    def release_sends(self, *, reverse: bool = True) -> int:
        """Hand over what was held, the last first if asked; returns how many were taken."""
        with self._lock:
            held = list(self._lies.sends.held)
            self._lies.sends.held.clear()
            self._lies.sends.holding = False
        taken = 0
        for number, raw in enumerate(reversed(held) if reverse else held):
            request = {"jsonrpc": "2.0", "id": number, "method": SEND, "params": [raw]}
            taken += "result" in json.loads(self._forward(json.dumps(request).encode()))
        return taken

    def heal(self) -> None:
        """Forward everything as it is from now on; what is held is lost."""
        with self._lock:
            self._fault = self._rate = None
            self._lies.stuck = self._lies.no_receipts = self._lies.chain_id = None
            self._lies.sends = SendFaults()
            self.lie = self.before = None
        self.released.set()
        self.released = threading.Event()

    def height(self) -> int:
        """The real chain's newest block."""
        request = {"jsonrpc": "2.0", "id": 0, "method": "eth_blockNumber", "params": []}
        answer = json.loads(self._forward(json.dumps(request).encode()))
        return int(answer["result"], 16)

    def take_fault(self) -> Fault | None:
        """The fault that meets the request which just came, if any; counted as a hit."""
        with self._lock:
            self.requests += 1
            fault = self._present_fault()
            if fault is None and self._is_too_fast():
                fault = Fault.TOO_MANY
            if fault is not None:
                self.hits[fault.name.lower()] += 1
            return fault

    @property
    def retry_after_s(self) -> float:
        """What 429 asks to wait."""
        return self._rate[1] if self._rate else 1.0

    def answer(self, body: bytes) -> bytes:
        """What the node says to a request, as it is told."""
        if self.before is not None:
            self.before(body)
        with self._lock:
            self._lies.expire(time.monotonic(), self.height)
            is_true = self.lie is None and not self._lies.is_active
        return self._forward(body) if is_true else self._answer_untruly(body)

    def _answer_untruly(self, body: bytes) -> bytes:
        asked = json.loads(body)
        requests: list[Message] = asked if isinstance(asked, list) else [asked]
        with self._lock:
            backend = self._lies.choose_backend()
            told = {one["id"]: self._lies.intercept(one) for one in requests}
        passed = [one for one in requests if told[one["id"]] is None]
        if passed:
            sent = passed if backend is None else [backend.ask(one) for one in passed]
            raw = self._forward(json.dumps(sent if isinstance(asked, list) else sent[0]).encode())
            found = json.loads(raw)
            answers = {one["id"]: one for one in (found if isinstance(found, list) else [found])}
            for request in passed:
                with self._lock:
                    said = self._lies.answer(request, answers[request["id"]], backend)
                told[request["id"]] = said if self.lie is None else self.lie(request, said)
        ordered = [told[one["id"]] for one in requests]
        return json.dumps(ordered if isinstance(asked, list) else ordered[0]).encode()

    def _present_fault(self) -> Fault | None:
        if self._fault is None:
            return None
        fault, span = self._fault
        if span.is_over(time.monotonic(), self.height):
            self._fault = None
            return None
        span.use()
        return fault

    def _is_too_fast(self) -> bool:
        if self._rate is None:
            return False
        now = time.monotonic()
        while self._recent and self._recent[0] <= now - 1:
            self._recent.popleft()
        if len(self._recent) >= self._rate[0]:
            return True
        self._recent.append(now)
        return False

    def _span(self, seconds: float | None, blocks: int | None, times: int | None) -> Span:
        return Span(
            until_s=None if seconds is None else time.monotonic() + seconds,
            until_block=None if blocks is None else self.height() + blocks,
            times=times,
        )

    def _forward(self, body: bytes) -> bytes:
        answer = self._pool.request(
            "POST", self.node_url, body=body, headers=_JSON, timeout=NODE_TIMEOUT_S
        )
        return bytes(answer.data)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    proxy: NodeProxy

    def do_POST(self) -> None:
        """Pass a request on to the node, or do to it what the next fault asks for."""
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.proxy.authorization = self.headers["Authorization"]
        fault = self.proxy.take_fault()
        if fault is None:
            self._pass_on(body)
        elif fault is Fault.DRIP:
            self._drip()
        elif fault in _PAGES:
            status, page = _PAGES[fault]
            self._send(page, status=status)
        else:
            self._break_off(fault, body)

    def _pass_on(self, body: bytes) -> None:
        try:
            answer = self.proxy.answer(body)
        except urllib3.exceptions.HTTPError:
            # The node itself is down: so is whoever speaks for it.
            self.close_connection = True
            return
        self._send(answer)

    def _break_off(self, fault: Fault, body: bytes) -> None:
        if fault is Fault.SILENCE:
            self.proxy.released.wait(LONGEST_SILENCE_S)
        elif fault is Fault.CUT:
            answer = self.proxy.answer(body)
            self._send(answer[: len(answer) // 2], length=len(answer))
        self.close_connection = True

    def _send(self, body: bytes, *, status: int = 200, length: int | None = None) -> None:
        # A client that lost patience, or was killed, is what some tests are about.
        with suppress(OSError):
            self.send_response(status)
            if status == _PAGES[Fault.TOO_MANY][0]:
                self.send_header("Retry-After", str(self.proxy.retry_after_s))
            self.send_header("Content-Length", str(len(body) if length is None else length))
            self.end_headers()
            self.wfile.write(body)

    def _drip(self) -> None:
        released = self.proxy.released
        self._send(b"", length=1_000_000)
        while not released.wait(0.1):
            try:
                self.wfile.write(b" ")
            except OSError:
                return

    def log_message(self, format: str, *args: Any) -> None:
        return


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: a client that is killed in the middle of a request is what proxies meet."""


@contextmanager
def node_proxy(node_url: str, dice: random.Random | None = None) -> Iterator[NodeProxy]:
    """A running proxy on a free port; its path looks like a hosted node's, with an access key."""
    proxy = NodeProxy(node_url, dice)
    handler = type("Handler", (_Handler,), {"proxy": proxy})
    server = _Server(("127.0.0.1", 0), handler)
    proxy.url = f"http://127.0.0.1:{server.server_address[1]}/secret-access-key"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield proxy
    finally:
        proxy.released.set()
        server.shutdown()
        server.server_close()
        thread.join()
