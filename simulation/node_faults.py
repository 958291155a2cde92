"""What a node in the middle may do to JSON-RPC: lie about heads, receipts, chains and sendings.

Pure rules on requests and answers; `simulation.node_proxy` serves them over HTTP.
"""

from __future__ import annotations

import random
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

from protocol.keccak import keccak256

Message = dict[str, Any]
SEND: Final = "eth_sendRawTransaction"
_RECEIPT: Final = "eth_getTransactionReceipt"
_BLOCK: Final = "eth_getBlockByNumber"


class Fault(StrEnum):
    """What happens to a connection instead of an answer."""

    HANG_UP = "close the connection without a byte"
    SILENCE = "never answer"
    DRIP = "a byte now and then, for ever"
    HTTP_500 = "a server error"
    BAD_GATEWAY = "a gateway's error page"
    NOT_JSON = "a maintenance page with status 200"
    CUT = "half of the answer, then close"
    TOO_MANY = "429 with Retry-After"


@dataclass(slots=True)
class Span:
    """How long a fault lasts: the first bound that is reached ends it; without any, `heal` does.

    `until_s` on the monotonic clock, `until_block` a height of the real chain, `times` uses left.
    """

    until_s: float | None = None
    until_block: int | None = None
    times: int | None = None

    def is_over(self, now_s: float, height: Callable[[], int]) -> bool:
        """Whether a bound is reached; `height` is asked only when a block bounds the span."""
        return (
            (self.until_s is not None and now_s >= self.until_s)
            or (self.times is not None and self.times <= 0)
            or (self.until_block is not None and height() >= self.until_block)
        )

    def use(self) -> None:
        """Count one use."""
        if self.times is not None:
            self.times -= 1


@dataclass(slots=True)
class StuckBackend:
    """A node that stopped at block `height`; a balancer sends it `share` of the requests.

    Only blocks, receipts and logs are as old as it: the state behind calls is the real head's,
    for a development node keeps no other.
    """

    height: int
    share: float
    span: Span

    def ask(self, request: Message) -> Message:
        """The request as the stuck node understands it: its newest block is its own."""
        params = request.get("params") or []
        if request["method"] == _BLOCK and params[0] in ("latest", "pending", "safe", "finalized"):
            return {**request, "params": [hex(self.height), *params[1:]]}
        return request

    def answer(self, request: Message, answer: Message) -> Message:
        """The answer without anything above its newest block."""
        result = answer.get("result")
        if request["method"] == "eth_blockNumber":
            return {**answer, "result": hex(self.height)}
        if request["method"] == _BLOCK and self._is_newer(result, "number"):
            return {**answer, "result": None}
        if request["method"] == _RECEIPT and self._is_newer(result, "blockNumber"):
            return {**answer, "result": None}
        if request["method"] == "eth_getLogs" and isinstance(result, list):
            known = [log for log in result if not self._is_newer(log, "blockNumber")]
            return {**answer, "result": known}
        return answer

    def _is_newer(self, found: Any, member: str) -> bool:
        return isinstance(found, dict) and int(found[member], 16) > self.height


@dataclass(slots=True)
class SendFaults:
    """What happens to transactions on their way to the pool, each bound by its count.

    `drop`: accepted by word, thrown away. `hold`: accepted by word, kept until `release`.
    `refuse`: an error with these words, nothing is passed on. `mute`: passed on, but the answer
    says that the node failed.
    """

    drop: int = 0
    mute: int = 0
    holding: bool = False
    held: deque[str] = field(default_factory=lambda: deque(maxlen=10_000))
    refusals: deque[str] = field(default_factory=lambda: deque(maxlen=10_000))

    @property
    def is_active(self) -> bool:
        """Whether any sending would be touched."""
        return bool(self.drop or self.mute or self.holding or self.refusals)

    def intercept(self, request: Message, hits: Counter[str]) -> Message | None:
        """The answer to a sending that never reaches the node, or None to pass it on."""
        raw = request["params"][0]
        if self.refusals:
            hits["refused sending"] += 1
            words = {"code": -32000, "message": self.refusals.popleft()}
            return {"jsonrpc": "2.0", "id": request["id"], "error": words}
        if self.holding:
            hits["held sending"] += 1
            self.held.append(raw)
            return _accepted(request, raw)
        if self.drop:
            self.drop -= 1
            hits["dropped sending"] += 1
            return _accepted(request, raw)
        return None

    def answer(self, request: Message, answer: Message, hits: Counter[str]) -> Message:
        """The node's answer, or an error in its place although the transaction was taken."""
        if not self.mute:
            return answer
        self.mute -= 1
        hits["muted sending"] += 1
        error = {"code": -32603, "message": "internal error"}
        return {"jsonrpc": "2.0", "id": request["id"], "error": error}


@dataclass(slots=True)
class Lies:
    """Every untruth that is told at present; `hits` counts those that somebody was told."""

    dice: random.Random
    hits: Counter[str]
    stuck: StuckBackend | None = None
    no_receipts: Span | None = None
    chain_id: int | None = None
    sends: SendFaults = field(default_factory=SendFaults)

    @property
    def is_active(self) -> bool:
        """Whether any answer might be changed."""
        return (
            self.stuck is not None
            or self.no_receipts is not None
            or self.chain_id is not None
            or self.sends.is_active
        )

    def expire(self, now_s: float, height: Callable[[], int]) -> None:
        """End what has lasted long enough."""
        if self.stuck is not None and self.stuck.span.is_over(now_s, height):
            self.stuck = None
        if self.no_receipts is not None and self.no_receipts.is_over(now_s, height):
            self.no_receipts = None

    def choose_backend(self) -> StuckBackend | None:
        """The stuck node, when the balancer picks it for this request."""
        stuck = self.stuck
        return stuck if stuck is not None and self.dice.random() < stuck.share else None

    def intercept(self, request: Message) -> Message | None:
        """An answer without asking the node, or None."""
        if request["method"] == SEND:
            return self.sends.intercept(request, self.hits)
        return None

    def answer(self, request: Message, answer: Message, backend: StuckBackend | None) -> Message:
        """The node's answer as it is told."""
        method = request["method"]
        if method == SEND:
            return self.sends.answer(request, answer, self.hits)
        if method in ("eth_chainId", "net_version") and self.chain_id is not None:
            self.hits["wrong chain"] += 1
            is_hex = method == "eth_chainId"
            return {**answer, "result": hex(self.chain_id) if is_hex else str(self.chain_id)}
        if method == _RECEIPT and self.no_receipts is not None and answer.get("result"):
            self.no_receipts.use()
            self.hits["null receipt"] += 1
            return {**answer, "result": None}
        if backend is None:
            return answer
        told = backend.answer(request, answer)
        if told != answer or backend.ask(request) != request:
            self.hits["stale answer"] += 1
        return told


def _accepted(request: Message, raw: str) -> Message:
    digest = keccak256(bytes.fromhex(raw.removeprefix("0x")))
    return {"jsonrpc": "2.0", "id": request["id"], "result": f"0x{digest.hex()}"}
