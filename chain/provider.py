"""JSON-RPC over HTTP with a limit on time and on size."""

import json
import math
from typing import Any, cast

from web3.providers.base import JSONBaseProvider
from web3.types import RPCEndpoint, RPCResponse

from chain.bounded_http import BoundedHttp, NoAnswer, TooLarge, TooSlow
from chain.errors import NodeBusy, NodeMisbehaved, NodeTimeout, NodeUnavailable

MAX_RESPONSE_BYTES = 64 * 1024 * 1024
_BUSY = (429, 503)
_LONGEST_RETRY_AFTER_S = 30.0


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
        self._http = BoundedHttp(
            url, name="node", timeout_s=timeout_s, most_bytes=max_response_bytes
        )
        self.label = self._http.label

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
        try:
            answer = self._http.post(body)
        except TooSlow as error:
            raise NodeTimeout(str(error)) from None
        except TooLarge as error:
            raise NodeMisbehaved(str(error)) from None
        except NoAnswer as error:
            raise NodeUnavailable(str(error)) from None
        if answer.status in _BUSY:
            raise NodeBusy(
                f"{self.label}: HTTP status {answer.status}",
                _seconds(answer.headers.get("Retry-After")),
            )
        if answer.status != 200:
            raise NodeUnavailable(f"{self.label}: HTTP status {answer.status}")
        return answer.body
