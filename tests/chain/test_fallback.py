"""Several nodes: the first that is well answers, and transactions reach all of them."""

import time
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from chain.errors import NodeUnavailable
from chain.fees import DynamicFee
from chain.node import Node
from chain.signer import TransactionRequest, TransactionSigner
from chain.transactions import SendOutcome, is_known, send_raw
from protocol.keccak import keccak256
from simulation.node_faults import Fault
from simulation.node_proxy import NodeProxy, node_proxy
from stack.node import AnvilNode
from stack.ports import free_port
from tests.chain.conftest import Chain, account_key


@pytest.fixture
def proxies(anvil: AnvilNode) -> Iterator[tuple[NodeProxy, NodeProxy]]:
    """Two ways to the same chain, each with faults of its own."""
    with ExitStack() as stack:
        first, second = (stack.enter_context(node_proxy(anvil.url)) for _ in range(2))
        yield first, second


def both(first: str, second: str, *, chain_id: int, **more: float) -> Node:
    return Node(first, chain_id=chain_id, timeout_s=1.0, fallback_urls=(second,), **more)


@pytest.mark.parametrize("fault", [Fault.HANG_UP, Fault.HTTP_500, Fault.SILENCE, Fault.NOT_JSON])
def test_readings_go_on_with_the_next_node_while_the_first_is_broken(
    anvil: AnvilNode, proxies: tuple[NodeProxy, NodeProxy], fault: Fault
) -> None:
    first, second = proxies
    node = both(first.url, second.url, chain_id=anvil.chain_id)
    head = node.head()
    assert second.requests == 0
    first.fail(fault)
    assert node.head() == head
    asked = first.requests
    assert node.headers([head.number]) == (head,)
    assert first.requests == asked, "who has failed is left alone for a while"


def test_a_node_whose_head_stands_still_is_passed_over(
    anvil: AnvilNode, chain: Chain, proxies: tuple[NodeProxy, NodeProxy]
) -> None:
    first, second = proxies
    head = chain.node.head()
    age_s = time.time() - head.timestamp_s
    node = both(first.url, second.url, chain_id=anvil.chain_id, max_head_age_s=age_s - 1)
    first.fall_behind(3, share=1.0, seconds=60)
    assert node.head() == head
    behind = first.requests
    assert node.head() == head
    assert first.requests == behind + 1, "it is asked last now"


def test_a_transaction_is_handed_to_every_node(
    anvil: AnvilNode, chain: Chain, proxies: tuple[NodeProxy, NodeProxy]
) -> None:
    first, second = proxies
    node = both(first.url, second.url, chain_id=anvil.chain_id)
    raw = _raw(chain)
    first.fail(Fault.HANG_UP)
    assert send_raw(node, raw) == SendOutcome.ACCEPTED
    first.heal()
    assert send_raw(node, raw) == SendOutcome.ALREADY_KNOWN
    chain.mine()
    assert first.requests and second.requests


def test_when_no_node_answers_the_first_ones_trouble_is_told(
    anvil: AnvilNode, proxies: tuple[NodeProxy, NodeProxy], chain: Chain
) -> None:
    first, second = proxies
    node = both(first.url, second.url, chain_id=anvil.chain_id)
    for proxy in proxies:
        proxy.fail(Fault.HTTP_500)
    port = first.url.rsplit(":", 1)[1].split("/")[0]
    with pytest.raises(NodeUnavailable, match=port):
        node.head()
    with pytest.raises(NodeUnavailable, match=port):
        send_raw(node, _raw(chain))


def test_a_node_of_another_chain_is_never_asked(anvil: AnvilNode, chain: Chain) -> None:
    node = both(f"http://127.0.0.1:{free_port()}", anvil.url, chain_id=anvil.chain_id + 1)
    with pytest.raises(NodeUnavailable):
        node.head()
    raw = _raw(chain)
    with pytest.raises(NodeUnavailable):
        send_raw(node, raw)
    assert not is_known(chain.node, keccak256(raw))


def _raw(chain: Chain) -> bytes:
    """A transfer of nothing to oneself, signed."""
    signer = TransactionSigner(account_key(7))
    nonce = chain.node.transaction_count(signer.address)
    fee = DynamicFee(100 * 10**9, 10**9)
    chain_id = chain.node.require_chain()
    return signer.sign(
        TransactionRequest(
            chain_id=chain_id,
            nonce=nonce,
            to=signer.address,
            value=0,
            data=b"",
            gas_limit=21_000,
            fee=fee,
        )
    ).raw
