"""Construction, token registration and deposits, on our commit-chain on a real node."""

from collections.abc import Callable
from typing import Any

import pytest
from web3 import Web3
from web3.exceptions import ContractLogicError, ContractPanicError

from contracts.deployment import create_commit_chain, deploy_token
from contracts.sending import Sender
from protocol.accumulator import Operation, accumulate
from protocol.encoding import ZERO_HASH

from .harness import ETHER, OPERATOR, A, B, Chain, D, checksum


def test_the_getters_say_what_was_deployed(chain: Chain) -> None:
    names = ["BLOCKS_PER_EON", "BLOCKS_PER_EPOCH", "EXTENDED_BLOCKS_PER_EPOCH", "EONS_KEPT"]
    names += ["DEPOSITS_KEPT", "MIN_CHALLENGE_GAS_COST", "genesis", "lastSubmissionEon"]
    found = [chain.contract.functions[name]().call() for name in names]
    assert found == [60, 15, 20, 5, 3, 5_000_000_000, chain.genesis, 0]
    assert chain.functions.operator().call() == checksum(OPERATOR.address)
    assert chain.functions.EDITION().call() == "nocust-hardened-1"


def test_an_eon_ends_after_its_last_block(chain: Chain) -> None:
    def clock() -> tuple[int, int]:
        return chain.functions.currentEon().call(), chain.functions.currentEra().call()

    assert clock() == (1, 0)
    chain.at(2, 0)
    assert clock() == (1, 59)
    chain.at(2, 1)
    assert clock() == (2, 0)


@pytest.mark.parametrize(
    ("blocks_per_eon", "operator"),
    [(0, OPERATOR.address), (11, OPERATOR.address), (60, bytes(20)), (2**48, OPERATOR.address)],
)
def test_unsuited_constructor_arguments_are_refused(
    w3: Web3, libraries: dict[str, bytes], blocks_per_eon: int, operator: bytes
) -> None:
    with pytest.raises(ContractLogicError, match=r"eon|zero"):
        create_commit_chain(
            Sender(w3, OPERATOR.private_key),
            blocks_per_eon=blocks_per_eon,
            operator=operator,
            libraries=libraries,
        )


def test_the_shortest_eon_has_twelve_blocks(w3: Web3, libraries: dict[str, bytes]) -> None:
    chain = Chain(w3, libraries, blocks_per_eon=12)
    assert chain.functions.BLOCKS_PER_EPOCH().call() == 3
    assert chain.functions.EXTENDED_BLOCKS_PER_EPOCH().call() == 4


def test_the_native_asset_stands_at_trail_zero(chain: Chain) -> None:
    assert chain.functions.getTokenTrail(checksum(chain.ether)).call() == 0
    assert chain.functions.getTokenAtTrail(0).call() == checksum(chain.ether)
    with pytest.raises(ContractPanicError):
        chain.functions.getTokenAtTrail(9).call()


@pytest.fixture
def token(chain: Chain) -> Any:
    """T at trail 1: A and D own 1000 units each."""
    address = deploy_token(chain.w3, OPERATOR.private_key, "Tee", "T", 10_000)
    contract = chain.w3.eth.contract(checksum(address), abi=_ERC20)
    for wallet in (A, D):
        contract.functions.transfer(checksum(wallet.address), 1000).transact(
            {"from": checksum(OPERATOR.address), "gas": 200_000}
        )
    chain.send(chain.functions.registerERC20(contract.address), OPERATOR)
    return contract


_ERC20 = [
    {
        "type": "function",
        "name": name,
        "inputs": [{"name": f"a{i}", "type": kind} for i, kind in enumerate(kinds)],
        "outputs": [{"name": "", "type": out}],
        "stateMutability": "view" if name == "balanceOf" else "nonpayable",
    }
    for name, kinds, out in [
        ("transfer", ["address", "uint256"], "bool"),
        ("approve", ["address", "uint256"], "bool"),
        ("balanceOf", ["address"], "uint256"),
    ]
]


def test_tokens_get_consecutive_trails_from_the_operator_only(chain: Chain, token: Any) -> None:
    register = chain.functions.registerERC20
    second = checksum(deploy_token(chain.w3, OPERATOR.private_key, "U", "U", 1))
    assert chain.reason(register(second), A) == "operator"
    outcome = chain.send(register(second), OPERATOR)
    assert outcome.named("TokenRegistered") == [{"token": second, "trail": 2}]
    assert chain.reason(register(token.address), OPERATOR) == "known"
    assert chain.reason(register(checksum(chain.ether)), OPERATOR) == "known"
    assert chain.reason(register(checksum(bytes(20))), OPERATOR) == "code"
    assert chain.reason(register(checksum(B.address)), OPERATOR) == "code"
    assert chain.functions.getTokenTrail(checksum(chain.ether)).call() == 0


def test_an_ether_deposit_counts_the_value_and_ignores_the_amount(chain: Chain) -> None:
    ether, wallet = checksum(chain.ether), checksum(A.address)
    call = chain.functions.deposit(ether, wallet, 999)
    outcome = chain.at(1, 5).send(call, A, value=10 * ETHER)
    assert outcome.named("Deposit") == [{"token": ether, "recipient": wallet, "amount": 10 * ETHER}]
    assert chain.functions.getDepositsAtEon(ether, wallet, 1).call() == 10 * ETHER
    assert chain.functions.getDepositsAtSlot(ether, 1).call() == [1, 10 * ETHER]
    assert chain.accumulator(1) == accumulate(
        ZERO_HASH,
        eon=1,
        token=chain.ether,
        participant=A.address,
        operation=Operation.DEPOSIT,
        value=10 * ETHER,
    )


def test_a_wallets_deposits_are_kept_for_three_eons(chain: Chain) -> None:
    deposits = {1: [1], 2: [2, 3], 3: [], 4: [4]}
    for eon, amounts in deposits.items():
        chain.at(eon, 1).commit()
        for amount in amounts:
            chain.deposit(A, amount)
    ether, wallet = checksum(chain.ether), checksum(A.address)
    kept = [chain.functions.getDepositsAtEon(ether, wallet, eon).call() for eon in (1, 2, 3, 4)]
    assert kept == [0, 5, 0, 4]
    assert chain.functions.getDepositsAtSlot(ether, 1).call() == [1, 1]
    assert chain.functions.getWalletDepositAggregateAtSlot(ether, wallet, 1).call() == [4, 4]


def test_a_token_deposit_moves_the_callers_tokens(chain: Chain, token: Any) -> None:
    call = chain.functions.deposit(token.address, checksum(A.address), 7)
    assert chain.reason(call, A) == "f"
    token.functions.approve(checksum(chain.address), 7).transact(
        {"from": checksum(A.address), "gas": 200_000}
    )
    assert chain.reason(call, A, value=1) == "m"
    assert chain.send(call, A).named("Deposit")[0]["amount"] == 7
    assert token.functions.balanceOf(checksum(chain.address)).call() == 7
    assert chain.functions.getDepositsAtSlot(token.address, 1).call() == [1, 7]
    unknown = chain.functions.deposit(checksum(B.address), checksum(A.address), 7)
    assert chain.reason(unknown, A) == "t"
    nobody = chain.functions.deposit(checksum(chain.ether), checksum(bytes(20)), 0)
    assert chain.reason(nobody, A, value=1) == "zero"


def test_nobody_can_deposit_another_ones_tokens(chain: Chain, token: Any) -> None:
    def approve(wallet: bytes) -> None:
        token.functions.approve(checksum(chain.address), 2**256 - 1).transact(
            {"from": checksum(wallet), "gas": 200_000}
        )

    approve(A.address)
    call = chain.functions.deposit(token.address, checksum(A.address), 50)
    assert chain.reason(call, D) == "f"
    approve(D.address)
    chain.send(call, D)
    assert token.functions.balanceOf(checksum(A.address)).call() == 1000
    assert token.functions.balanceOf(checksum(D.address)).call() == 950
    assert chain.functions.getDepositsAtEon(token.address, checksum(A.address), 1).call() == 50


def test_a_token_without_return_data_is_accepted(
    chain: Chain, deploy_helper: Callable[..., Any]
) -> None:
    silent = deploy_helper("SilentToken", checksum(A.address))
    chain.send(chain.functions.registerERC20(silent.address), OPERATOR)
    chain.send(chain.functions.deposit(silent.address, checksum(A.address), 100), A)
    assert chain.functions.getDepositsAtEon(silent.address, checksum(A.address), 1).call() == 100


@pytest.mark.parametrize(
    ("name", "arguments"),
    [("RefusingToken", []), ("FeeToken", [checksum(A.address)])],
)
def test_a_token_that_does_not_move_exactly_the_amount_credits_nothing(
    chain: Chain, deploy_helper: Callable[..., Any], name: str, arguments: list[str]
) -> None:
    odd = deploy_helper(name, *arguments)
    chain.send(chain.functions.registerERC20(odd.address), OPERATOR)
    call = chain.functions.deposit(odd.address, checksum(A.address), 100)
    assert chain.reason(call, A) == "f"
    assert chain.functions.getDepositsAtSlot(odd.address, 1).call() == [0, 0]


def test_a_token_finds_the_contract_closed_while_it_is_deposited(
    chain: Chain, deploy_helper: Callable[..., Any]
) -> None:
    token = deploy_helper("ReenteringToken")
    chain.w3.eth.wait_for_transaction_receipt(
        chain.w3.eth.send_transaction(
            {
                "from": checksum(A.address),
                "to": token.address,
                "value": Web3.to_wei(1, "ether"),
            }
        ),
        poll_latency=0.005,
    )
    chain.send(chain.functions.registerERC20(token.address), OPERATOR)
    chain.send(chain.functions.deposit(token.address, checksum(A.address), 100), A)
    assert token.functions.tried().call() and not token.functions.reentered().call()
    assert chain.balance() == 0


def test_plain_ether_only_raises_the_pool(chain: Chain) -> None:
    chain.w3.eth.wait_for_transaction_receipt(
        chain.w3.eth.send_transaction(
            {
                "from": checksum(A.address),
                "to": chain.contract.address,
                "value": Web3.to_wei(1, "ether"),
            }
        ),
        poll_latency=0.005,
    )
    assert chain.balance() == ETHER
    assert chain.functions.getDepositsAtSlot(checksum(chain.ether), 1).call() == [0, 0]


def test_an_unknown_selector_is_refused(chain: Chain) -> None:
    with pytest.raises(ContractLogicError):
        chain.w3.eth.call({"to": chain.contract.address, "data": "0xdeadbeef"})
