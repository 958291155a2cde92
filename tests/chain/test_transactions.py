"""Stored bytes can be sent at any time; only the present chain says what became of them."""

from typing import Any

import pytest

from chain.calls import build_call
from chain.errors import NodeMisbehaved, NodeTimeout, TransactionRefused
from chain.fees import DynamicFee, Fee, FeePolicy, LegacyFee, market_fee
from chain.gas import read_fee_market
from chain.gateway import ContractGateway
from chain.node import Node
from chain.signer import SignedTransaction, TransactionRequest, TransactionSigner
from chain.transactions import SendOutcome, find_mined, find_receipt, is_known, send_raw
from simulation.node_faults import Fault
from simulation.node_proxy import NodeProxy
from tests.chain.conftest import GWEI, Chain, account_key

POLICY = FeePolicy(
    ceiling=300 * GWEI,
    critical_ceiling=1000 * GWEI,
    min_tip=GWEI,
    bump_percent=15,
    bump_after_blocks=10,
)


def _transfer(
    chain: Chain,
    signer: TransactionSigner,
    *,
    fee: Fee = DynamicFee(50 * GWEI, GWEI),  # noqa: B008 an immutable value
    value: int = 1,
    later: int = 0,
) -> SignedTransaction:
    return signer.sign(
        TransactionRequest(
            chain_id=1337,
            nonce=chain.node.transaction_count(signer.address) + later,
            to=b"\x77" * 20,
            value=value,
            data=b"",
            gas_limit=21_000,
            fee=fee,
        )
    )


@pytest.mark.parametrize("fee", [DynamicFee(50 * GWEI, GWEI), LegacyFee(50 * GWEI)])
def test_both_kinds_of_transaction_are_mined_under_the_hash_known_before(
    chain: Chain, holder: TransactionSigner, fee: Fee
) -> None:
    signed = _transfer(chain, holder, fee=fee)
    assert not is_known(chain.node, signed.tx_hash)
    assert send_raw(chain.node, signed.raw) is SendOutcome.ACCEPTED
    assert is_known(chain.node, signed.tx_hash)
    assert find_receipt(chain.node, signed.tx_hash) is None
    chain.mine()
    receipt = find_receipt(chain.node, signed.tx_hash)
    assert receipt is not None and receipt.succeeded
    assert receipt.block_hash == chain.node.head().block_hash
    assert 0 < receipt.gas_price <= 50 * GWEI


def test_sending_the_same_bytes_again_is_an_ordinary_outcome(
    chain: Chain, holder: TransactionSigner
) -> None:
    signed = _transfer(chain, holder)
    assert send_raw(chain.node, signed.raw) is SendOutcome.ACCEPTED
    assert send_raw(chain.node, signed.raw) is SendOutcome.ALREADY_KNOWN
    chain.mine()
    assert send_raw(chain.node, signed.raw) is SendOutcome.NONCE_TOO_LOW
    assert find_receipt(chain.node, signed.tx_hash) is not None


def test_a_crash_between_sending_and_its_answer_leads_to_the_same_transaction(
    chain: Chain, holder: TransactionSigner, proxied: tuple[NodeProxy, Node]
) -> None:
    proxy, node = proxied
    signed = _transfer(chain, holder)

    def lost(request: dict[str, Any], answer: dict[str, Any]) -> dict[str, Any]:
        proxy.released.wait(1)
        return answer

    proxy.lie = lost
    with pytest.raises(NodeTimeout):
        send_raw(node, signed.raw)
    assert send_raw(chain.node, signed.raw) is SendOutcome.ALREADY_KNOWN
    chain.mine()
    assert find_receipt(chain.node, signed.tx_hash) is not None


def test_a_timid_replacement_is_refused_and_a_bold_one_takes_the_place(
    chain: Chain, holder: TransactionSigner
) -> None:
    first = _transfer(chain, holder)
    timid = _transfer(chain, holder, value=2)
    bold = _transfer(chain, holder, fee=DynamicFee(60 * GWEI, 2 * GWEI), value=2)
    assert send_raw(chain.node, first.raw) is SendOutcome.ACCEPTED
    assert send_raw(chain.node, timid.raw) is SendOutcome.REPLACEMENT_UNDERPRICED
    assert send_raw(chain.node, bold.raw) is SendOutcome.ACCEPTED
    chain.mine()
    receipt = find_mined(chain.node, [first.tx_hash, bold.tx_hash])
    assert receipt is not None and receipt.tx_hash == bold.tx_hash


def test_an_empty_purse_is_an_outcome(chain: Chain) -> None:
    poor = TransactionSigner(b"\x42" * 32)
    assert send_raw(chain.node, _transfer(chain, poor).raw) is SendOutcome.INSUFFICIENT_FUNDS


def test_bytes_that_are_no_transaction_are_refused_by_name(node: Node) -> None:
    with pytest.raises(TransactionRefused):
        send_raw(node, b"\x02\xc0")


def test_a_reverted_transaction_is_mined_but_not_successful(
    gateway: ContractGateway, chain: Chain, holder: TransactionSigner
) -> None:
    forbidden = build_call(gateway.contract, "registerERC20", b"\x11" * 20)
    receipt = chain.execute(holder, forbidden)
    assert not receipt.succeeded
    cause = gateway.simulate(forbidden, holder.address).revert
    assert cause is not None and cause.meaning == "not the operator"


def test_a_transaction_counts_as_confirmed_only_at_full_depth(
    gateway: ContractGateway, chain: Chain, holder: TransactionSigner
) -> None:
    receipt = chain.execute(holder, build_call(gateway.contract, "currentEon"))
    depth = 3
    confirmed_at = []
    for _ in range(5):
        head = chain.node.head().number
        confirmed_at.append(receipt.is_confirmed(head, depth))
        chain.mine()
    assert confirmed_at == [False, False, False, True, True]


def test_a_receipt_whose_block_left_the_chain_is_none(
    chain: Chain, holder: TransactionSigner
) -> None:
    signed = _transfer(chain, holder)
    mark = chain.mark()
    assert send_raw(chain.node, signed.raw) is SendOutcome.ACCEPTED
    chain.mine()
    assert find_receipt(chain.node, signed.tx_hash) is not None
    chain.return_to(mark)
    assert find_receipt(chain.node, signed.tx_hash) is None
    assert send_raw(chain.node, signed.raw).is_in_pool
    chain.mine(2)
    again = find_receipt(chain.node, signed.tx_hash)
    assert again is not None and again.tx_hash == signed.tx_hash


def test_a_nodes_stale_receipt_of_a_replaced_block_counts_as_none(
    chain: Chain, holder: TransactionSigner, proxied: tuple[NodeProxy, Node]
) -> None:
    proxy, node = proxied
    signed = _transfer(chain, holder)
    send_raw(node, signed.raw)
    chain.mine()

    def stale(request: dict[str, Any], answer: dict[str, Any]) -> dict[str, Any]:
        if request["method"] == "eth_getTransactionReceipt":
            answer["result"]["blockHash"] = "0x" + "99" * 32
        return answer

    proxy.lie = stale
    assert find_receipt(node, signed.tx_hash) is None
    proxy.lie = None
    assert find_receipt(node, signed.tx_hash) is not None


def test_the_receipt_of_another_transaction_is_not_believed(
    chain: Chain, holder: TransactionSigner, proxied: tuple[NodeProxy, Node]
) -> None:
    proxy, node = proxied
    signed = _transfer(chain, holder)
    send_raw(node, signed.raw)
    chain.mine()

    def swapped(request: dict[str, Any], answer: dict[str, Any]) -> dict[str, Any]:
        if request["method"] == "eth_getTransactionReceipt":
            answer["result"]["transactionHash"] = "0x" + "98" * 32
        return answer

    proxy.lie = swapped
    with pytest.raises(NodeMisbehaved):
        find_receipt(node, signed.tx_hash)


def test_the_market_is_read_from_a_chain_with_a_base_fee(
    chain: Chain, holder: TransactionSigner
) -> None:
    market = read_fee_market(chain.node)
    assert market.base_fee == chain.node.head().base_fee
    fee = market_fee(market, POLICY)
    assert isinstance(fee, DynamicFee)
    signed = _transfer(chain, holder, fee=fee)
    assert send_raw(chain.node, signed.raw) is SendOutcome.ACCEPTED
    chain.mine()
    assert find_receipt(chain.node, signed.tx_hash) is not None


def test_tips_of_empty_blocks_say_nothing(proxied: tuple[NodeProxy, Node]) -> None:
    proxy, node = proxied

    def history(request: dict[str, Any], answer: dict[str, Any]) -> dict[str, Any]:
        if request["method"] == "eth_feeHistory":
            answer["result"]["reward"] = [["0x0"], ["0x7"], ["0x0"], ["0x9"]]
        return answer

    proxy.lie = history
    assert read_fee_market(node).tips == (7, 9)


def test_a_chain_without_base_fees_is_asked_for_its_gas_price(
    proxied: tuple[NodeProxy, Node],
) -> None:
    proxy, node = proxied

    def old_chain(request: dict[str, Any], answer: dict[str, Any]) -> dict[str, Any]:
        if request["method"] == "eth_getBlockByNumber":
            del answer["result"]["baseFeePerGas"]
        return answer

    proxy.lie = old_chain
    market = read_fee_market(node)
    assert market.base_fee is None and market.gas_price > 0
    assert isinstance(market_fee(market, POLICY), LegacyFee)


@pytest.mark.parametrize(
    ("said", "outcome"),
    [
        ("already known", SendOutcome.ALREADY_KNOWN),
        ("AlreadyKnown", SendOutcome.ALREADY_KNOWN),
        ("Known transaction", SendOutcome.ALREADY_KNOWN),
        ("Transaction with the same hash was already imported.", SendOutcome.ALREADY_KNOWN),
        ("nonce too low: next nonce 8, tx nonce 7", SendOutcome.NONCE_TOO_LOW),
        ("OldNonce", SendOutcome.NONCE_TOO_LOW),
        ("replacement transaction underpriced", SendOutcome.REPLACEMENT_UNDERPRICED),
        ("transaction underpriced", SendOutcome.FEE_TOO_LOW),
        ("max fee per gas less than block base fee", SendOutcome.FEE_TOO_LOW),
        ("insufficient funds for gas * price + value", SendOutcome.INSUFFICIENT_FUNDS),
        ("txpool is full", SendOutcome.POOL_FULL),
    ],
)
def test_every_node_dialect_is_understood(
    chain: Chain,
    holder: TransactionSigner,
    proxied: tuple[NodeProxy, Node],
    said: str,
    outcome: SendOutcome,
) -> None:
    proxy, node = proxied
    proxy.lie = lambda request, answer: {
        "jsonrpc": "2.0",
        "id": request["id"],
        "error": {"code": -32000, "message": said},
    }
    assert send_raw(node, _transfer(chain, holder, later=50).raw) is outcome


def test_a_silent_node_leaves_the_outcome_open(
    chain: Chain, holder: TransactionSigner, proxied: tuple[NodeProxy, Node]
) -> None:
    proxy, node = proxied
    proxy.fail(Fault.SILENCE)
    with pytest.raises(NodeTimeout):
        send_raw(node, _transfer(chain, TransactionSigner(account_key(3))).raw)
