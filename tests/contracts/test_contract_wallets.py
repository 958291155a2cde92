"""Holders and operators that are contracts: what they may do, and what they cannot break."""

from collections.abc import Callable
from typing import Any

from web3 import Web3

from .harness import BOND, ETHER, OPERATOR, A, B, Chain, checksum


def _address(contract: Any) -> bytes:
    return bytes.fromhex(contract.address[2:])


def _fund_matured_request(chain: Chain, wallet: Any) -> Any:
    """A matured request of 4 of the contract `wallet`; returns the call that pays it."""
    holder = _address(wallet)
    chain.at(1, 2).send(
        chain.functions.deposit(checksum(chain.ether), wallet.address, 0), A, value=10 * ETHER
    )
    chain.at(1, 10).commit()
    chain.at(2, 1).commit({chain.ether: [(holder, 10 * ETHER)]})
    chain.at(3, 1).commit({chain.ether: [(holder, 10 * ETHER)]})
    request = chain.request_with(chain.allotment(2, chain.ether, holder), 4 * ETHER)
    data = chain.contract.encode_abi(request.fn_name, args=request.args)
    wallet.functions.call(chain.contract.address, data).transact(
        {"from": checksum(A.address), "value": BOND, "gas": 3_000_000, "gasPrice": 5 * 10**9}
    )
    chain.commit_each(4, 5, 1, {chain.ether: [(holder, 6 * ETHER)]})
    chain.at(5, 20)
    return chain.functions.confirmWithdrawal(checksum(chain.ether), wallet.address)


def test_a_holder_that_stores_on_receipt_is_paid(
    chain: Chain, deploy_helper: Callable[..., Any]
) -> None:
    wallet = deploy_helper("RecordingWallet")
    chain.send(_fund_matured_request(chain, wallet), B)
    assert wallet.functions.received().call() == 4 * ETHER


def test_a_holder_finds_the_contract_closed_while_it_is_paid(
    chain: Chain, deploy_helper: Callable[..., Any]
) -> None:
    wallet = deploy_helper("ReenteringWallet")
    chain.send(_fund_matured_request(chain, wallet), B)
    assert wallet.functions.tried().call() and not wallet.functions.reentered().call()
    assert chain.balance(_address(wallet)) == 4 * ETHER


def test_a_holder_that_refuses_its_money_only_stops_itself(
    chain: Chain, deploy_helper: Callable[..., Any]
) -> None:
    wallet = deploy_helper("RecordingWallet")
    pay = _fund_matured_request(chain, wallet)
    wallet.functions.refuse().transact({"from": checksum(A.address), "gas": 200_000})
    assert chain.reason(pay, B) == "f"
    assert chain.pending(5) == 4 * ETHER
    wallet.functions.relent().transact({"from": checksum(A.address), "gas": 200_000})
    chain.send(pay, B)
    assert wallet.functions.received().call() == 4 * ETHER


def test_an_operator_that_refuses_ether_stops_no_request(
    w3: Web3, libraries: dict[str, bytes], deploy_helper: Callable[..., Any]
) -> None:
    operator = deploy_helper("RecordingWallet")
    operator.functions.refuse().transact({"from": checksum(OPERATOR.address), "gas": 200_000})
    chain = Chain(w3, libraries, operator=_address(operator))
    chain.via = operator
    chain.at(1, 2).deposit(A, 10 * ETHER)
    chain.at(1, 10).commit()
    chain.at(2, 1).commit({chain.ether: [(A.address, 10 * ETHER)]})
    chain.at(3, 1)
    chain.send(chain.request(A, ETHER), A, value=BOND)
    assert chain.balance() == 10 * ETHER + BOND
