"""Following a chain that changes under our feet."""

from typing import Any

import pytest

from chain.calls import deposit
from chain.errors import (
    Branch,
    BrokenContinuity,
    DeepReorganisation,
    HeadMoved,
    NodeBehind,
    NodeMisbehaved,
    RangeTooLarge,
)
from chain.gateway import ContractGateway
from chain.headers import find_common_ancestor, has_left, read_range, require_continuity
from chain.logs import fetch_events
from chain.node import Node
from chain.signer import TransactionSigner
from simulation.node_proxy import NodeProxy
from tests.chain.conftest import Chain


def _stored(node: Node, first: int, last: int) -> list[Branch]:
    """Our copy of the chain, newest first."""
    headers = node.headers(range(first, last + 1))
    return [Branch(header.number, header.block_hash) for header in reversed(headers)]


def _deposit(gateway: ContractGateway, holder: TransactionSigner, amount: int) -> Any:
    token = gateway.contract
    return deposit(token, token=token, beneficiary=holder.address, amount=amount)


def test_a_range_is_read_with_its_events_and_hangs_together(
    gateway: ContractGateway, chain: Chain, holder: TransactionSigner
) -> None:
    start = chain.node.head()
    chain.send(holder, _deposit(gateway, holder, 1))
    chain.send(holder, _deposit(gateway, holder, 2))
    chain.mine(3)
    chain.execute(holder, _deposit(gateway, holder, 3))
    reading = read_range(chain.node, gateway.contract, start.number + 1, start.number + 4)
    require_continuity(reading.headers, Branch(start.number, start.block_hash))
    places = [(event.block_number - start.number, event.log_index) for event in reading.events]
    assert places == [(1, 0), (1, 1), (4, 0)]
    with pytest.raises(NodeBehind):
        read_range(chain.node, gateway.contract, start.number + 1, start.number + 5)


def test_blocks_that_do_not_stand_on_ours_are_noticed(chain: Chain) -> None:
    chain.mine(3)
    head = chain.node.head().number
    headers = chain.node.headers([head - 1, head])
    with pytest.raises(BrokenContinuity):
        require_continuity(headers, Branch(head - 2, b"\0" * 32))
    with pytest.raises(BrokenContinuity):
        require_continuity([headers[0], headers[0]])
    with pytest.raises(BrokenContinuity):
        require_continuity(list(reversed(headers)))


def test_a_reorganisation_is_traced_to_the_last_common_block(chain: Chain) -> None:
    chain.mine(2)
    fork = chain.node.head()
    mark = chain.mark()
    chain.mine(4)
    stored = _stored(chain.node, fork.number - 2, fork.number + 4)
    assert find_common_ancestor(chain.node, stored, newest_confirmed=fork.number - 2) == stored[0]
    chain.return_to(mark)
    chain.mine(6)
    assert find_common_ancestor(chain.node, stored, newest_confirmed=fork.number - 2) == Branch(
        fork.number, fork.block_hash
    )
    assert has_left(chain.node, stored[0]) and not has_left(chain.node, stored[-1])


def test_a_node_that_comes_back_shorter_is_an_ordinary_reorganisation(chain: Chain) -> None:
    chain.mine(2)
    fork = chain.node.head()
    mark = chain.mark()
    chain.mine(3)
    stored = _stored(chain.node, fork.number - 1, fork.number + 3)
    chain.return_to(mark)
    assert find_common_ancestor(chain.node, stored, newest_confirmed=fork.number - 1) == Branch(
        fork.number, fork.block_hash
    )
    assert has_left(chain.node, stored[0])


def test_a_reorganisation_below_the_confirmed_block_shows_both_branches(chain: Chain) -> None:
    chain.mine()
    mark = chain.mark()
    chain.mine(4)
    head = chain.node.head().number
    stored = _stored(chain.node, head - 3, head)
    chain.return_to(mark)
    with pytest.raises(DeepReorganisation) as shorter:
        find_common_ancestor(chain.node, stored, newest_confirmed=head - 3)
    assert shorter.value.theirs is None
    chain.mine(5)
    with pytest.raises(DeepReorganisation) as caught:
        find_common_ancestor(chain.node, stored, newest_confirmed=head - 3)
    assert caught.value.ours == stored[-1]
    replaced = chain.node.header(head - 3)
    assert caught.value.theirs == Branch(replaced.number, replaced.block_hash)


def test_a_chain_copied_without_gaps_over_many_batches_is_searched_to_its_fork(
    chain: Chain,
) -> None:
    chain.mine(2)
    fork = chain.node.head()
    mark = chain.mark()
    chain.mine(130)
    stored = _stored(chain.node, fork.number + 60, fork.number + 130) + _stored(
        chain.node, fork.number, fork.number + 59
    )
    chain.return_to(mark)
    chain.mine(140)
    ancestor = find_common_ancestor(chain.node, stored, newest_confirmed=fork.number)
    assert ancestor == Branch(fork.number, fork.block_hash)


def test_events_of_a_replaced_block_are_not_joined_to_the_new_one(
    gateway: ContractGateway,
    chain: Chain,
    holder: TransactionSigner,
    proxied: tuple[NodeProxy, Node],
) -> None:
    block = chain.execute(holder, _deposit(gateway, holder, 5)).block_number
    proxy, node = proxied

    def lie(request: dict[str, Any], answer: dict[str, Any]) -> dict[str, Any]:
        if request["method"] == "eth_getLogs":
            answer["result"][0]["blockHash"] = "0x" + "77" * 32
        return answer

    proxy.lie = lie
    with pytest.raises(HeadMoved):
        read_range(node, gateway.contract, block, block)


@pytest.mark.parametrize(
    "lie",
    [{"address": "0x" + "11" * 20}, {"blockNumber": "0x1"}, {"removed": True}, {"topics": []}],
)
def test_logs_that_were_not_asked_for_are_not_believed(
    gateway: ContractGateway,
    chain: Chain,
    holder: TransactionSigner,
    proxied: tuple[NodeProxy, Node],
    lie: dict[str, Any],
) -> None:
    block = chain.execute(holder, _deposit(gateway, holder, 5)).block_number
    proxy, node = proxied

    def tell(request: dict[str, Any], answer: dict[str, Any]) -> dict[str, Any]:
        answer["result"][0] |= lie
        return answer

    proxy.lie = tell
    if lie == {"topics": []}:
        (event,) = fetch_events(node, gateway.contract, block, block)
        assert type(event).__name__ == "UnknownLog"
    else:
        with pytest.raises(NodeMisbehaved):
            fetch_events(node, gateway.contract, block, block)


@pytest.mark.parametrize(
    "error",
    [
        {"code": -32005, "message": "query returned more than 10000 results"},
        {"code": -32000, "message": "exceed maximum block range: 5000"},
    ],
)
def test_a_range_is_halved_until_the_node_takes_it(
    gateway: ContractGateway,
    chain: Chain,
    holder: TransactionSigner,
    proxied: tuple[NodeProxy, Node],
    error: dict[str, Any],
) -> None:
    first = chain.node.head().number + 1
    for amount in (1, 2, 3):
        chain.execute(holder, _deposit(gateway, holder, amount))
        chain.mine(5)
    last = chain.node.head().number
    proxy, node = proxied
    most_blocks = 4

    def refuse(request: dict[str, Any], answer: dict[str, Any]) -> dict[str, Any]:
        wanted = request["params"][0]
        if int(wanted["toBlock"], 16) - int(wanted["fromBlock"], 16) + 1 > most_blocks:
            return {"jsonrpc": "2.0", "id": request["id"], "error": error}
        return answer

    proxy.lie = refuse
    events = fetch_events(node, gateway.contract, first, last)
    assert events == fetch_events(chain.node, gateway.contract, first, last)
    assert len(events) == 3
    most_blocks = 0
    with pytest.raises(RangeTooLarge):
        fetch_events(node, gateway.contract, first, last)
