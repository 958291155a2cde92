"""Several nodes of one chain behind the face of one: the first that is well answers for all."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from typing import Any, Final, TypeVar, cast

from web3.providers.base import JSONBaseProvider
from web3.types import RPCEndpoint, RPCResponse

from chain.errors import ChainError, NodeMisbehaved, NodeUnavailable, WrongChain
from chain.provider import BoundedHttpProvider
from logs import get_logger

T = TypeVar("T")
REST_S: Final = 30.0
"""A node that failed is asked last for so long."""

_SEND: Final = "eth_sendRawTransaction"
_BLOCK: Final = "eth_getBlockByNumber"
_CHAIN: Final = RPCEndpoint("eth_chainId")
_SENDERS: Final = 4

log = get_logger(__name__)


class FallbackProvider(JSONBaseProvider):
    """Asks the first of several end points that is well, in their order; sends to all of them.

    One that does not answer, or whose head is older than `max_head_age_s` while another's is
    newer, comes last for a while. The first is taken at its word; another is asked only once it
    has said that it follows `chain_id`. When none answers, the first one's error is raised. Safe
    to use from several threads.
    """

    global_ccip_read_enabled = False

    def __init__(
        self,
        nodes: Sequence[BoundedHttpProvider],
        *,
        chain_id: int,
        max_head_age_s: float,
        now: Callable[[], float] = time.time,
    ) -> None:
        super().__init__()
        self._nodes = tuple(nodes)
        self._chain_id = chain_id
        self._max_head_age_s = max_head_age_s
        self._now = now
        self._resting = [0.0] * len(self._nodes)
        self._verified = [index == 0 for index in range(len(self._nodes))]
        self._lock = threading.Lock()
        self._senders = ThreadPoolExecutor(_SENDERS * len(self._nodes), "sending")
        others = len(self._nodes) - 1
        self.label = f"{self._nodes[0].label} and {others} more"

    def __repr__(self) -> str:
        return f"FallbackProvider({self.label})"

    def make_request(self, method: RPCEndpoint, params: Any) -> RPCResponse:
        """Send one request to the first node that answers; a transaction to all."""
        if method == _SEND:
            return self._send(params)
        index, answer = self._ask(lambda node: node.make_request(method, params))
        if method == _BLOCK and params and params[0] == "latest" and self._is_old(answer):
            return self._newest(index, answer, params)
        return answer

    def make_batch_request(
        self, batch_requests: list[tuple[RPCEndpoint, Any]]
    ) -> list[RPCResponse] | RPCResponse:
        """Send several requests at once to the first node that answers."""
        return self._ask(lambda node: node.make_batch_request(batch_requests))[1]

    def _ask(self, ask: Callable[[BoundedHttpProvider], T]) -> tuple[int, T]:
        failure: ChainError | None = None
        for index in self._in_order():
            try:
                self._require_chain(index)
                return index, ask(self._nodes[index])
            except (NodeUnavailable, NodeMisbehaved, WrongChain) as error:
                if failure is None or index == 0:
                    failure = error
                self._rest(index, str(error))
        raise failure or NodeUnavailable(f"{self.label}: nobody to ask")

    def _in_order(self) -> list[int]:
        """Those that are well in their order, then those that rest, the longest rested first."""
        now = time.monotonic()
        with self._lock:
            return sorted(
                range(len(self._nodes)), key=lambda i: (max(0, self._resting[i] - now), i)
            )

    def _rest(self, index: int, why: str) -> None:
        with self._lock:
            was_well = self._resting[index] <= time.monotonic()
            self._resting[index] = time.monotonic() + REST_S
        if was_well:
            log.warning("a node is left alone for a while", node=self._nodes[index].label, why=why)

    def _require_chain(self, index: int) -> None:
        if self._verified[index]:
            return
        answer = self._nodes[index].make_request(_CHAIN, [])
        if answer.get("result") != hex(self._chain_id):
            raise WrongChain(f"{self._nodes[index].label} does not follow chain {self._chain_id}")
        self._verified[index] = True

    def _is_old(self, answer: RPCResponse) -> bool:
        time_s = _number(answer, "timestamp")
        return time_s is not None and self._now() - time_s > self._max_head_age_s

    def _newest(self, index: int, answer: RPCResponse, params: Any) -> RPCResponse:
        """The newest head of all; who had an older one is left alone."""
        best, best_answer = index, answer
        for other in self._in_order():
            if other == index:
                continue
            try:
                self._require_chain(other)
                found = self._nodes[other].make_request(RPCEndpoint(_BLOCK), params)
            except (NodeUnavailable, NodeMisbehaved, WrongChain) as error:
                self._rest(other, str(error))
                continue
            if (_number(found, "number") or 0) > (_number(best_answer, "number") or 0):
                self._rest(best, "its head is old, another's is newer")
                best, best_answer = other, found
        return best_answer

    def _send(self, params: Any) -> RPCResponse:
        """Hand a transaction to every node; the first that takes it answers.

        If none does, the first node's answer counts, in their order.
        """
        sending = [self._senders.submit(self._send_to, i, params) for i in range(len(self._nodes))]
        for done in as_completed(sending):
            if done.exception() is None and "error" not in done.result():
                return done.result()
        return next(self._refusals(sending))

    def _refusals(self, sending: Sequence[Future[RPCResponse]]) -> Iterator[RPCResponse]:
        failed = [done.exception() for done in sending]
        yield from (
            done.result() for done, error in zip(sending, failed, strict=True) if error is None
        )
        raise next(error for error in failed if error is not None)

    def _send_to(self, index: int, params: Any) -> RPCResponse:
        try:
            self._require_chain(index)
            return self._nodes[index].make_request(RPCEndpoint(_SEND), params)
        except (NodeUnavailable, NodeMisbehaved, WrongChain) as error:
            self._rest(index, str(error))
            raise


def _number(answer: RPCResponse, member: str) -> int | None:
    """A quantity of the block in an answer; None for one without a block."""
    block = cast(Any, answer.get("result"))
    try:
        return int(block[member], 16)
    except (TypeError, KeyError, ValueError):
        return None
