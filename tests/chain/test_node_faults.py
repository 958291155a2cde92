"""A node that fails never hangs us, never convinces us, and always gets a name."""

import time
import traceback
from base64 import b64encode
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from chain.errors import (
    NodeBehind,
    NodeMisbehaved,
    NodeRefused,
    NodeTimeout,
    NodeUnavailable,
    ProofOfAuthorityFlagMissing,
    WrongChain,
)
from chain.gateway import ContractGateway
from chain.node import Node
from simulation.node_faults import Fault
from simulation.node_proxy import NodeProxy
from stack.node import AnvilNode
from stack.ports import free_port
from tests.chain.conftest import Chain

Proxied = tuple[NodeProxy, Node]


def test_a_dead_node_is_unavailable() -> None:
    with pytest.raises(NodeUnavailable):
        Node(f"http://127.0.0.1:{free_port()}", timeout_s=0.5).head()


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (Fault.HANG_UP, NodeUnavailable),
        (Fault.HTTP_500, NodeUnavailable),
        (Fault.CUT, NodeUnavailable),
        (Fault.SILENCE, NodeTimeout),
        (Fault.DRIP, NodeTimeout),
        (Fault.NOT_JSON, NodeMisbehaved),
    ],
)
def test_every_fault_of_the_connection_has_its_name_and_ends_in_time(
    proxied: Proxied, fault: Fault, error: type[Exception]
) -> None:
    proxy, node = proxied
    proxy.fail(fault)
    started = time.monotonic()
    with pytest.raises(error):
        node.head()
    assert time.monotonic() - started < 3
    assert proxy.requests == 1, "retrying is the duty's business"


@pytest.mark.parametrize("fault", [Fault.SILENCE, Fault.HTTP_500, Fault.NOT_JSON, Fault.HANG_UP])
def test_an_error_never_shows_the_access_key_in_the_nodes_url(
    proxied: Proxied, fault: Fault
) -> None:
    proxy, node = proxied
    proxy.fail(fault)
    with pytest.raises(Exception) as caught:
        node.head()
    shown = "".join(traceback.format_exception(caught.value))
    assert "secret-access-key" not in f"{shown} {caught.value!r} {node!r}"


def test_the_connection_works_again_after_a_fault(proxied: Proxied, chain: Chain) -> None:
    proxy, node = proxied
    proxy.fail(Fault.SILENCE)
    with pytest.raises(NodeTimeout):
        node.head()
    proxy.heal()
    assert node.head() == chain.node.head()


def test_another_chain_than_the_configured_one_is_refused(anvil: AnvilNode) -> None:
    with pytest.raises(WrongChain, match="1337"):
        Node(anvil.url, chain_id=1).require_chain()
    assert Node(anvil.url, chain_id=1337).require_chain() == 1337


def _lying_about(method: str, **members: Any) -> Any:
    def lie(request: dict[str, Any], answer: dict[str, Any]) -> dict[str, Any]:
        if request["method"] == method:
            answer["result"] |= members
        return answer

    return lie


def test_another_block_than_the_one_asked_for_is_not_believed(
    proxied: Proxied, chain: Chain
) -> None:
    chain.mine(3)
    proxy, node = proxied
    proxy.lie = _lying_about("eth_getBlockByNumber", number="0x1")
    with pytest.raises(NodeMisbehaved):
        node.header(2)
    with pytest.raises(NodeMisbehaved):
        node.headers([1, 2])


def test_an_answer_to_another_request_is_not_believed(proxied: Proxied) -> None:
    proxy, node = proxied
    proxy.lie = lambda request, answer: {**answer, "id": request["id"] + 1}
    with pytest.raises(NodeMisbehaved):
        node.head()
    with pytest.raises(NodeMisbehaved):
        node.headers([0])


@pytest.mark.parametrize("member", ["hash", "parentHash", "number", "timestamp"])
def test_a_block_without_its_members_is_not_believed(proxied: Proxied, member: str) -> None:
    proxy, node = proxied

    def lie(request: dict[str, Any], answer: dict[str, Any]) -> dict[str, Any]:
        del answer["result"][member]
        return answer

    proxy.lie = lie
    with pytest.raises(NodeMisbehaved):
        node.head()


def test_an_answer_above_the_size_limit_is_not_read(anvil: AnvilNode) -> None:
    from web3.types import RPCEndpoint

    from chain.provider import BoundedHttpProvider

    provider = BoundedHttpProvider(anvil.url, timeout_s=5, max_response_bytes=100)
    with pytest.raises(NodeMisbehaved, match="100 bytes"):
        provider.make_request(RPCEndpoint("eth_getBlockByNumber"), ["0x0", False])


def test_a_block_that_the_node_lacks_means_that_it_is_behind(node: Node) -> None:
    missing = node.head().number + 1_000
    with pytest.raises(NodeBehind):
        node.header(missing)
    with pytest.raises(NodeBehind):
        node.headers([0, missing])


def test_an_old_head_or_a_syncing_node_is_behind(proxied: Proxied) -> None:
    proxy, node = proxied
    head = node.head()
    assert node.require_progress(now_s=head.timestamp_s + 20, max_age_s=20) == head
    with pytest.raises(NodeBehind, match="21 s old"):
        node.require_progress(now_s=head.timestamp_s + 21, max_age_s=20)

    def lie(request: dict[str, Any], answer: dict[str, Any]) -> dict[str, Any]:
        if request["method"] == "eth_syncing":
            answer["result"] = {"startingBlock": "0x0", "currentBlock": "0x1"}
        return answer

    proxy.lie = lie
    with pytest.raises(NodeBehind, match="syncing"):
        node.require_progress(now_s=head.timestamp_s, max_age_s=20)


def test_blocks_with_long_extra_data_ask_for_the_proof_of_authority_flag(
    anvil: AnvilNode, proxied: Proxied
) -> None:
    proxy, node = proxied
    proxy.lie = _lying_about("eth_getBlockByNumber", extraData="0x" + "ab" * 97)
    with pytest.raises(ProofOfAuthorityFlagMissing, match="HUB_ETHEREUM_NETWORK_IS_POA"):
        node.head()
    with pytest.raises(ProofOfAuthorityFlagMissing):
        node.headers([0])
    url = f"http://127.0.0.1:{node.label.rsplit(':', 1)[1]}"
    flagged = Node(url, is_proof_of_authority=True, timeout_s=2)
    assert flagged.head().extra_data_bytes == 97
    assert flagged.headers([0])[0].extra_data_bytes == 97


def test_a_refusal_carries_the_nodes_code_and_words(proxied: Proxied) -> None:
    proxy, node = proxied
    proxy.lie = lambda request, answer: {
        "jsonrpc": "2.0",
        "id": request["id"],
        "error": {"code": -32016, "message": "daily quota used up"},
    }
    with pytest.raises(NodeRefused, match="daily quota") as caught:
        node.head()
    assert caught.value.code == -32016


def test_many_threads_read_through_one_node_without_mixing_their_batches(
    gateway: ContractGateway,
) -> None:
    parameters = gateway.parameters()
    questions = {
        "genesis": parameters.genesis_block,
        "BLOCKS_PER_EON": parameters.blocks_per_eon,
        "EONS_KEPT": parameters.eons_kept,
    }

    def read(turn: int) -> bool:
        names = list(questions)[turn % 3 :] * 4
        _, answers = gateway.ask_together(*((name,) for name in names))
        return [value for (value,) in answers] == [questions[name] for name in names]

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(read, range(48)))


def test_name_and_password_in_the_url_are_sent_and_never_shown(
    proxied: tuple[NodeProxy, Node],
) -> None:
    proxy, node = proxied
    port = node.label.rsplit(":", 1)[1]
    private = Node(f"http://hub:p%40ss@127.0.0.1:{port}/", timeout_s=2)
    private.head()
    assert proxy.authorization == "Basic " + b64encode(b"hub:p@ss").decode()
    proxy.fail(Fault.HANG_UP)
    with pytest.raises(NodeUnavailable) as caught:
        private.head()
    assert "p%40ss" not in f"{caught.value} {private!r}"
