"""Weaknesses around money, tokens and getters: each works there and fails on ours."""

from collections.abc import Callable
from typing import Any

from web3.exceptions import ContractLogicError

from ..disputes import STAKE, challenge_allotment
from ..harness import ETHER, OPERATOR, A, B, Chain, D, checksum
from ..trading import register_token


def test_w8_the_contract_itself_becomes_a_token(chain: Chain) -> None:
    """With two tokens before it, ether's proofs are walked with another trail."""
    for _ in range(2):
        register_token(chain)
    chain.at(1, 20).deposit(A, 10 * ETHER)
    chain.commit()
    chain.commit_each(2, 3, 1, {chain.ether: [(A.address, 10 * ETHER)]})
    call = chain.functions.registerERC20(checksum(chain.address))
    assert chain.outcome(call, OPERATOR) == ("known" if chain.is_hardened else "done")
    chain.at(3, 16)
    opening = challenge_allotment(chain, chain.allotment(2, chain.ether, A.address))
    opened = chain.outcome(opening, A, value=STAKE)
    assert opened == ("done" if chain.is_hardened else "m")


def test_w12_a_holder_that_stores_on_receipt_is_not_paid(
    chain: Chain, deploy_helper: Callable[..., Any]
) -> None:
    wallet = deploy_helper("RecordingWallet")
    holder = bytes.fromhex(wallet.address[2:])
    deposit = chain.functions.deposit(checksum(chain.ether), wallet.address, 0)
    chain.at(1, 2).send(deposit, A, value=10 * ETHER)
    chain.at(1, 10).commit()
    chain.at(2, 1).commit({chain.ether: [(holder, 10 * ETHER)]})
    chain.at(4, 0)
    only = chain.functions.recoverOnlyParentChainFunds(checksum(chain.ether), wallet.address)
    assert chain.outcome(only, A) == ("done" if chain.is_hardened else "f")


def test_w13_the_bond_lifts_the_bound(base: Chain) -> None:
    base.at(4, 1).commit({base.ether: [(A.address, 10 * ETHER), (B.address, 14 * ETHER)]})
    base.at(5, 16)
    opening = challenge_allotment(base, base.allotment(4, base.ether, A.address))
    opened = base.outcome(opening, A, value=5 * ETHER)
    assert opened == ("b" if base.is_hardened else "done")


def test_w14_a_stranger_pulls_approved_tokens(chain: Chain) -> None:
    token = register_token(chain)
    call = chain.functions.deposit(checksum(token), checksum(A.address), 50)
    pulled = chain.outcome(call, D)
    assert pulled == ("f" if chain.is_hardened else "done")


def test_w14_tokens_that_return_nothing_cannot_be_used(
    chain: Chain, deploy_helper: Callable[..., Any]
) -> None:
    token = deploy_helper("SilentToken", checksum(A.address))
    chain.send(chain.functions.registerERC20(token.address), OPERATOR)
    call = chain.functions.deposit(token.address, checksum(A.address), 50)
    used = chain.outcome(call, A)
    assert used == ("done" if chain.is_hardened else "reverted")


def test_w14_a_token_with_a_fee_is_credited_in_full(
    chain: Chain, deploy_helper: Callable[..., Any]
) -> None:
    token = deploy_helper("FeeToken", checksum(A.address))
    chain.send(chain.functions.registerERC20(token.address), OPERATOR)
    call = chain.functions.deposit(token.address, checksum(A.address), 1000)
    assert chain.outcome(call, A) == ("f" if chain.is_hardened else "done")
    held = token.functions.balanceOf(chain.contract.address).call()
    credited = chain.functions.getDepositsAtEon(token.address, checksum(A.address), 1).call()
    assert (held, credited) == ((0, 0) if chain.is_hardened else (990, 1000))


def test_w20_unknown_calls_are_swallowed(chain: Chain) -> None:
    def call(value: int) -> int:
        transaction = {
            "from": checksum(A.address),
            "to": chain.contract.address,
            "data": "0xdeadbeef",
            "value": value,
            "gas": 100_000,
        }
        receipt = chain.w3.eth.wait_for_transaction_receipt(
            chain.w3.eth.send_transaction(transaction),  # type: ignore[arg-type]
            poll_latency=0.005,
        )
        return int(receipt["status"])

    expected = 0 if chain.is_hardened else 1
    assert [call(0), call(5)] == [expected, expected]
    assert chain.balance() == (0 if chain.is_hardened else 5)


def test_the_published_edition_has_no_name(chain: Chain) -> None:
    selector = chain.contract.encode_abi("EDITION")
    answer = chain.w3.eth.call({"to": chain.contract.address, "data": selector})
    assert (answer == b"") != chain.is_hardened


def test_w22_registrations_leave_no_trace(chain: Chain) -> None:
    receipt_of = register_token(chain)
    logs = chain.w3.eth.get_logs({"address": chain.contract.address, "fromBlock": chain.genesis})
    assert len(logs) == (1 if chain.is_hardened else 0)
    assert chain.functions.getTokenTrail(checksum(receipt_of)).call() == 1


def test_w24_the_wallets_getter_fails_after_an_early_halt(chain: Chain) -> None:
    chain.at(2, 10)
    read = chain.functions.getClientContractStateVariables(
        checksum(chain.ether), checksum(A.address)
    )
    try:
        answered = bool(chain.next(read))
    except ContractLogicError:
        answered = False
    assert answered == chain.is_hardened


def test_w19_one_leaf_has_many_trails(base: Chain) -> None:
    leaf = base.allotment(2, base.ether, A.address)
    proof = base.functions.verifyProofOfMembership(4, [], leaf.allotment_chain[0], bytes(32))
    assert proof.call() is False
    same = base.functions.verifyProofOfMembership(
        4, [], leaf.allotment_chain[0], leaf.allotment_chain[0]
    )
    assert same.call() is not base.is_hardened
