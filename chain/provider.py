"""JSON-RPC over HTTP with a limit on time and on size.

The stock provider times out each read of the socket, so a node that sends one byte a second
holds a thread for ever, and it retries on its own. This one does neither.
"""

import json
import math
import time
from collections.abc import Sequence
from typing import Any, cast
from urllib.parse import unquote, urlsplit

import urllib3
from web3.providers.base import JSONBaseProvider
from web3.types import RPCEndpoint, RPCResponse

from chain.errors import NodeBusy, NodeMisbehaved, NodeTimeout, NodeUnavailable

MAX_RESPONSE_BYTES = 64 * 1024 * 1024
CONNECTIONS = 20
_BUSY = (429, 503)
_LONGEST_RETRY_AFTER_S = 30.0
_PIECE_BYTES = 64 * 1024
_HEADERS = {"Content-Type": "application/json", "User-Agent": "nocust-operator"}


def _seconds(retry_after: str | None) -> float | None:
    """What a Retry-After header asks for, bounded: a deadline waits for no node.

    None without a header, and for one that names a date: clocks differ.
    """
    try:
        seconds = float(retry_after or "")
    except ValueError:
        return None
    return min(max(seconds, 0.0), _LONGEST_RETRY_AFTER_S) if math.isfinite(seconds) else None


def _is_error(answer: Any) -> bool:
    """Whether this is one JSON-RPC error object."""
    return isinstance(answer, dict) and "error" in answer


class BoundedHttpProvider(JSONBaseProvider):
    """One node's HTTP end point; every request ends within about `timeout_s` seconds.

    Raises NodeUnavailable, NodeTimeout or NodeMisbehaved. Safe to use from several threads.
    """

    # A contract's answer must never make the operator fetch an address of its choosing.
    global_ccip_read_enabled = False

    def __init__(
        self, url: str, *, timeout_s: float, max_response_bytes: int = MAX_RESPONSE_BYTES
    ) -> None:
        super().__init__()
        parts = urlsplit(url)
        self.label = f"node at {parts.hostname}:{parts.port or parts.scheme}"
        self._url = url
        self._headers = dict(_HEADERS)
        if parts.username is not None:
            credentials = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
            self._headers |= urllib3.make_headers(basic_auth=credentials)
        self._timeout_s = timeout_s
        self._max_response_bytes = max_response_bytes
        self._pool = urllib3.PoolManager(maxsize=CONNECTIONS, retries=False)

    def __repr__(self) -> str:
        return f"BoundedHttpProvider({self.label})"

    def make_request(self, method: RPCEndpoint, params: Any) -> RPCResponse:
        """Send one request; the answer's id must be the request's."""
        body = self.encode_rpc_request(method, params)
        answer = self._decode(self._post(body))
        # An error may come without an id, when the node could not read the request.
        is_nameless_error = _is_error(answer) and answer.get("id") is None
        is_ours = isinstance(answer, dict) and answer.get("id") == json.loads(body)["id"]
        if not (is_ours or is_nameless_error):
            raise NodeMisbehaved(f"{self.label}: the answer to {method} is not to this request")
        return cast(RPCResponse, answer)

    def make_batch_request(
        self, batch_requests: list[tuple[RPCEndpoint, Any]]
    ) -> list[RPCResponse] | RPCResponse:
        """Send several requests at once; the answers come back in the order of the requests."""
        body = self.encode_batch_rpc_request(batch_requests)
        answer = self._decode(self._post(body))
        if _is_error(answer):
            return cast(RPCResponse, answer)
        if not isinstance(answer, list) or not all(isinstance(one, dict) for one in answer):
            raise NodeMisbehaved(f"{self.label}: the answer to a batch is not a batch")
        by_id = {one.get("id"): one for one in answer}
        try:
            return [by_id[request["id"]] for request in json.loads(body)]
        except KeyError:
            raise NodeMisbehaved(f"{self.label}: answers are missing from a batch") from None

    def _decode(self, raw: bytes) -> Any:
        try:
            return json.loads(raw)
        except (ValueError, RecursionError):
            raise NodeMisbehaved(f"{self.label}: the answer is not JSON") from None

    def _post(self, body: bytes) -> bytes:
        deadline = time.monotonic() + self._timeout_s
        try:
            response = self._pool.request(
                "POST",
                self._url,
                body=body,
                headers=self._headers,
                timeout=urllib3.Timeout(total=self._timeout_s),
                preload_content=False,
                redirect=False,
                retries=False,
            )
            try:
                pieces = self._read(response, deadline)
            except BaseException:
                response.close()
                raise
            response.release_conn()
        except urllib3.exceptions.TimeoutError:
            raise NodeTimeout(f"{self.label}: no answer within {self._timeout_s} s") from None
        except (urllib3.exceptions.HTTPError, OSError) as error:
            # The library's own text repeats the whole URL, which may hold an access key.
            raise NodeUnavailable(f"{self.label}: {type(error).__name__}") from None
        if response.status in _BUSY:
            raise NodeBusy(
                f"{self.label}: HTTP status {response.status}",
                _seconds(response.headers.get("Retry-After")),
            )
        if response.status != 200:
            raise NodeUnavailable(f"{self.label}: HTTP status {response.status}")
        return b"".join(pieces)

    def _read(self, response: urllib3.BaseHTTPResponse, deadline: float) -> Sequence[bytes]:
        pieces: list[bytes] = []
        size = 0
        while piece := response.read1(_PIECE_BYTES, decode_content=True):
            pieces.append(piece)
            size += len(piece)
            if size > self._max_response_bytes:
                raise NodeMisbehaved(f"{self.label}: answer over {self._max_response_bytes} bytes")
            if time.monotonic() > deadline:
                raise NodeTimeout(f"{self.label}: no answer within {self._timeout_s} s")
        return pieces
