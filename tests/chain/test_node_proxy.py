"""The node in the middle does what it is told, for as long as it is told, and counts it."""

import json
import random
import time
import urllib.error
import urllib.request
from collections.abc import Iterator

import pytest

from chain.blocks import BlockHeader
from chain.errors import NodeBehind, NodeBusy, NodeUnavailable, WrongChain
from chain.fees import DynamicFee
from chain.node import Node
from chain.signer import SignedTransaction, TransactionRequest, TransactionSigner
from chain.transactions import SendOutcome, find_receipt, is_known, send_raw
from simulation.node_faults import Fault
from simulation.node_proxy import NodeProxy, node_proxy
from stack.node import AnvilNode
from tests.chain.conftest import GWEI, Chain


@pytest.fixture
def proxy(anvil: AnvilNode) -> Iterator[NodeProxy]:
    with node_proxy(anvil.url, random.Random(7)) as running:
        yield running


@pytest.fixture
def through(proxy: NodeProxy, anvil: AnvilNode) -> Node:
    return Node(proxy.url, chain_id=anvil.chain_id, timeout_s=2)


def payment(chain: Chain, signer: TransactionSigner, ahead: int = 0) -> SignedTransaction:
    """A transfer to oneself, `ahead` nonces after the next one."""
    return signer.sign(
        TransactionRequest(
            chain_id=chain.node.require_chain(),
            nonce=chain.node.transaction_count(signer.address) + ahead,
            to=signer.address,
            value=0,
            data=b"",
            gas_limit=21_000,
            fee=DynamicFee(100 * GWEI, GWEI),
        )
    )


def test_an_outage_ends_at_its_block_of_the_real_chain(
    proxy: NodeProxy, through: Node, chain: Chain
) -> None:
    proxy.outage(blocks=2)
    for _ in range(2):
        with pytest.raises(NodeUnavailable):
            through.head()
        chain.mine()
    assert through.head() == chain.node.head()
    assert proxy.hits == {"hang_up": 2}


def test_an_outage_ends_after_its_seconds(proxy: NodeProxy, through: Node) -> None:
    proxy.outage(seconds=0.2)
    with pytest.raises(NodeUnavailable):
        through.head()
    time.sleep(0.25)
    through.head()


def test_a_fault_may_hit_a_number_of_requests(proxy: NodeProxy, through: Node) -> None:
    proxy.fail(Fault.BAD_GATEWAY, requests=2)
    for _ in range(2):
        with pytest.raises(NodeUnavailable, match="502"):
            through.head()
    through.head()


def test_a_rate_limit_answers_429_and_says_when_to_come_back(proxy: NodeProxy) -> None:
    proxy.limit_rate(2, retry_after_s=3)
    body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "eth_chainId", "params": []}).encode()
    statuses = []
    for _ in range(4):
        try:
            with urllib.request.urlopen(urllib.request.Request(proxy.url, body), timeout=5) as said:
                statuses.append(said.status)
        except urllib.error.HTTPError as error:
            statuses.append(error.code)
            assert error.headers["Retry-After"] == "3"
    assert statuses == [200, 200, 429, 429]
    with pytest.raises(NodeBusy) as caught:
        Node(proxy.url).head()
    assert caught.value.retry_after_s == 3
    proxy.heal()
    assert proxy.hits == {"too_many": 3}


def test_a_stuck_node_knows_no_newer_block_receipt_or_log(
    proxy: NodeProxy, through: Node, chain: Chain, operator: TransactionSigner
) -> None:
    chain.mine(2)
    before = chain.node.head()
    sent = payment(chain, operator)
    send_raw(chain.node, sent.raw)
    chain.mine(2)
    proxy.fall_behind(2)
    assert through.head() == before
    assert through.headers([before.number]) == (before,)
    assert int(through.w3.eth.block_number) == before.number
    with pytest.raises(NodeBehind):
        through.header(before.number + 1)
    assert find_receipt(through, sent.tx_hash) is None
    chain.mine()
    assert through.head() == before
    proxy.heal()
    assert through.head() == chain.node.head()
    assert find_receipt(through, sent.tx_hash) is not None


def test_a_balancer_that_alternates_lets_the_head_go_back_and_forth(
    proxy: NodeProxy, through: Node, chain: Chain
) -> None:
    chain.mine(3)
    proxy.fall_behind(3, share=0.5)
    seen: set[BlockHeader] = {through.head() for _ in range(40)}
    newest = chain.node.head().number
    assert {header.number for header in seen} == {newest - 3, newest}
    assert 0 < proxy.hits["stale answer"] < 40


def test_receipts_can_be_withheld(
    proxy: NodeProxy, through: Node, chain: Chain, operator: TransactionSigner
) -> None:
    sent = payment(chain, operator)
    send_raw(through, sent.raw)
    chain.mine()
    proxy.withhold_receipts(times=2)
    assert [find_receipt(through, sent.tx_hash) is None for _ in range(3)] == [True, True, False]


def test_another_chain_can_be_pretended(proxy: NodeProxy, through: Node) -> None:
    proxy.pretend_chain(1)
    with pytest.raises(WrongChain):
        through.require_chain()
    proxy.heal()
    through.require_chain()


def test_a_dropped_transaction_is_accepted_by_word_and_never_in_the_pool(
    proxy: NodeProxy, through: Node, chain: Chain, operator: TransactionSigner
) -> None:
    sent = payment(chain, operator)
    proxy.drop_sends(1)
    assert send_raw(through, sent.raw) is SendOutcome.ACCEPTED
    assert not is_known(chain.node, sent.tx_hash)
    assert send_raw(through, sent.raw) is SendOutcome.ACCEPTED
    assert is_known(chain.node, sent.tx_hash)
    chain.mine()


def test_a_muted_transaction_is_taken_although_the_node_says_that_it_failed(
    proxy: NodeProxy, through: Node, chain: Chain, operator: TransactionSigner
) -> None:
    sent = payment(chain, operator)
    proxy.mute_sends(1)
    with pytest.raises(Exception, match="internal error"):
        send_raw(through, sent.raw)
    assert send_raw(through, sent.raw) is SendOutcome.ALREADY_KNOWN
    chain.mine()


def test_a_refusal_speaks_in_the_nodes_words(
    proxy: NodeProxy, through: Node, chain: Chain, operator: TransactionSigner
) -> None:
    sent = payment(chain, operator)
    proxy.refuse_sends("replacement transaction underpriced", times=1)
    assert send_raw(through, sent.raw) is SendOutcome.REPLACEMENT_UNDERPRICED
    assert not is_known(chain.node, sent.tx_hash)


def test_held_transactions_come_out_in_the_other_order(
    proxy: NodeProxy, through: Node, chain: Chain, operator: TransactionSigner
) -> None:
    first, second = (payment(chain, operator, ahead) for ahead in (0, 1))
    proxy.hold_sends()
    for sent in (first, second):
        assert send_raw(through, sent.raw) is SendOutcome.ACCEPTED
    assert not is_known(chain.node, first.tx_hash)
    assert proxy.release_sends(reverse=True) == 2
    chain.mine()
    receipts = [find_receipt(chain.node, sent.tx_hash) for sent in (first, second)]
    assert all(receipts), "the pool puts them in order again"
    assert proxy.hits["held sending"] == 2
