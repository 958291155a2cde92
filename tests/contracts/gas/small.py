"""Costs in a small commit-chain: eight wallets, three tokens; one transaction a block."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from web3 import Web3

from contracts.deployment import deploy_token
from contracts.development import DevelopmentAccount, development_account
from protocol.markers import minimum_available_balance_digest
from protocol.orders import OrderTerms
from protocol.transfers import transfer_tag
from protocol.withdrawals import delegated_withdrawal_digest

from ..disputes import (
    CLOSED,
    STAKE,
    Receipts,
    State,
    Transfer,
    answer_delivery,
    answer_passively,
    answer_state_update,
    answer_swap,
    challenge_agreement,
    challenge_allotment,
    challenge_delivery,
    challenge_last_delivery,
    challenge_swap,
    parts,
)
from ..harness import BOND, ETHER, OPERATOR, A, B, Chain, D, Member, checksum
from ..trading import APPROVE

FAR = 10**9
WALLETS = [development_account(index) for index in range(1, 9)]


@dataclass(frozen=True)
class Row:
    """One measured call: gas of ours and of the original (None where it has none)."""

    call: str
    ours: int
    original: int


class Meter:
    """A commit-chain whose transactions are weighed."""

    def __init__(self, w3: Web3, libraries: dict[str, bytes]) -> None:
        self.chain = Chain(w3, libraries)
        self.rows: list[Row] = []

    def weigh(
        self,
        name: str,
        original: int,
        call: Any,
        sender: DevelopmentAccount,
        *,
        value: int = 0,
    ) -> None:
        receipt = self.chain.send(call, sender, value=value).receipt
        self.rows.append(Row(name, receipt["gasUsed"], original))

    def token(self) -> bytes:
        """A token that every wallet owns and lets the commit-chain pull."""
        address = deploy_token(self.chain.w3, OPERATOR.private_key, "Tee", "T", 10**6 * ETHER)
        contract: Any = self.chain.w3.eth.contract(
            checksum(address), abi=[APPROVE, APPROVE | {"name": "transfer"}]
        )
        for wallet in WALLETS:
            to = checksum(wallet.address)
            self.chain.send(contract.functions.transfer(to, 1000 * ETHER), OPERATOR)
            self.chain.send(
                contract.functions.approve(self.chain.contract.address, 2**256 - 1), wallet
            )
        return address

    def register(self) -> bytes:
        token = self.token()
        call = self.chain.functions.registerERC20(checksum(token))
        self.weigh("registerERC20", 73_973, call, OPERATOR)
        self.chain.tokens.append(token)
        return token

    def deposit(self, token: bytes, wallet: DevelopmentAccount, amount: int = ETHER) -> Any:
        return self.chain.functions.deposit(checksum(token), checksum(wallet.address), amount)

    def equal(self, *tokens: bytes, amount: int = 100 * ETHER) -> dict[bytes, list[Any]]:
        return {token: [(w.address, amount) for w in WALLETS] for token in tokens}

    def fund(self, *tokens: bytes, amount: int = 100 * ETHER) -> None:
        for token in tokens:
            for wallet in WALLETS:
                value = amount if token == self.chain.ether else 0
                self.chain.send(self.deposit(token, wallet, amount), wallet, value=value)


def measure(w3: Web3, libraries: dict[str, bytes]) -> Iterator[Row]:
    """All rows, each part on a chain of its own."""
    for part in (_money, _withdrawals, _many_requests, _slashes, _disputes, _swap, _recovery):
        meter = Meter(w3, libraries)
        part(meter)
        yield from meter.rows


def _silently(meter: Meter, register: Callable[[], bytes]) -> bytes:
    token = register()
    meter.rows.clear()
    return token


def _money(meter: Meter) -> None:
    chain = meter.chain
    token = meter.register()
    figures = [
        (chain.ether, (163_379, 109_252, 72_225), "ETH"),
        (token, (187_853, 133_726, 96_687), "ERC-20"),
    ]
    for asset, (first, fresh, again), name in figures:
        value = ETHER if asset == chain.ether else 0
        for label, figure, wallet in (
            ("first of the eon", first, A),
            ("wallet new", fresh, B),
            ("again", again, B),
        ):
            call = meter.deposit(asset, wallet)
            meter.weigh(f"deposit {name}, {label}", figure, call, wallet, value=value)
    figures_by_eon = {1: ("eon 1", 97_214), 2: ("eons 2 to 5", 100_782), 7: ("steady", 66_582)}
    for eon in range(1, 8):
        chain.at(eon, 40)
        if eon >= 6:
            for asset, figure, name in ((chain.ether, 75_079, "ETH"), (token, 99_541, "ERC-20")):
                value = ETHER if asset == chain.ether else 0
                call = meter.deposit(asset, A)
                if eon == 7:
                    label = f"deposit {name}, second lap"
                    meter.weigh(label, figure, call, A, value=value)
                else:
                    chain.send(call, A, value=value)
        accumulator = chain.accumulator(eon - 1)
        call = chain.functions.submitCheckpoint(accumulator, b"\x01" * 32)
        if eon in figures_by_eon:
            label, figure = figures_by_eon[eon]
            meter.weigh(f"submitCheckpoint, {label}", figure, call, OPERATOR)
        else:
            chain.send(call, OPERATOR)


def _prepared(meter: Meter) -> bytes:
    """Three tokens, eight wallets with 100 each of ETH and T; the next eon is 3."""
    token = _silently(meter, meter.register)
    _silently(meter, meter.register)
    meter.fund(meter.chain.ether, token)
    # A surplus, so that checkpoints may go on allotting what has been paid out meanwhile.
    meter.chain.w3.eth.send_transaction(
        {
            "from": checksum(A.address),
            "to": meter.chain.contract.address,
            "value": 50 * ETHER,  # type: ignore[typeddict-item]
        }
    )
    meter.chain.at(1, 58).commit()
    meter.chain.at(2, 1).commit(meter.equal(meter.chain.ether, token))
    return token


def _signed(chain: Chain, holder: DevelopmentAccount, signer: DevelopmentAccount) -> Any:
    digest = delegated_withdrawal_digest(
        contract=chain.address,
        token=chain.ether,
        holder=holder.address,
        expiry_block=FAR,
        amount=ETHER,
        pending=0,
    )
    return parts(digest, signer)


def _withdrawals(meter: Meter) -> None:
    chain, token = meter.chain, _prepared(meter)
    everything = meter.equal(chain.ether, token)
    chain.at(3, 1).commit(everything)
    name = "requestWithdrawal"
    meter.weigh(f"{name} ETH, first", 285_693, chain.request(A, ETHER), A, value=BOND)
    meter.weigh(f"{name} ETH, later", 224_183, chain.request(B, ETHER), B, value=BOND)
    call = chain.request(A, ETHER, token=token)
    meter.weigh(f"{name} ERC-20, first", 273_713, call, A, value=BOND)
    native = checksum(chain.ether)
    call = chain.functions.requestDelegatedWithdrawal(
        native, checksum(D.address), ETHER, FAR, *_signed(chain, D, D)
    )
    meter.weigh("requestDelegatedWithdrawal", 149_879, call, OPERATOR)
    other = WALLETS[3]
    call = chain.functions.requestAuthorizedWithdrawal(
        native, ETHER, FAR, *_signed(chain, other, OPERATOR)
    )
    meter.weigh("requestAuthorizedWithdrawal", 146_681, call, other)
    chain.commit_each(4, 5, 1, everything)
    chain.at(5, 20)
    name = "confirmWithdrawal"
    meter.weigh(f"{name} ETH, first", 124_891, chain.confirm(A), A)
    meter.weigh(f"{name} ETH, later", 87_864, chain.confirm(B), B)
    call = chain.confirm(A, token=token)
    meter.weigh(f"{name} ERC-20, first", 159_420, call, A)
    meter.weigh(f"{name}, nothing payable", 67_170, chain.confirm(WALLETS[6]), A)


def _many_requests(meter: Meter) -> None:
    chain, token = meter.chain, _prepared(meter)
    everything = meter.equal(chain.ether, token)
    eon = 3
    for count, figure in ((1, 150_189), (10, 206_682), (40, 394_992)):
        chain.at(eon, 1).commit(everything)
        for _ in range(count):
            chain.send(chain.request(A, 1), A, value=BOND)
        chain.commit_each(eon + 1, eon + 2, 1, everything)
        chain.at(eon + 2, 20)
        meter.weigh(f"confirmWithdrawal of {count} requests", figure, chain.confirm(A), A)
        eon += 3


def _slashes(meter: Meter) -> None:
    chain, token = meter.chain, _prepared(meter)
    everything = meter.equal(chain.ether, token)

    def slash(eon: int) -> Any:
        digest = minimum_available_balance_digest(
            contract=chain.address, token=chain.ether, wallet=A.address, eon=eon, amount=0
        )
        r, s, v = parts(digest, A)
        return chain.functions.slashWithdrawalWithProofOfMinimumAvailableBalance(
            checksum(chain.ether), checksum(A.address), [eon, 0], [r, s], v
        )

    chain.at(3, 1).commit(everything)
    chain.send(chain.request(A, 1), A, value=BOND)
    meter.weigh("slash, one request of this eon", 69_383, slash(3), OPERATOR)
    for _ in range(2):
        chain.send(chain.request(A, 1), A, value=BOND)
    chain.at(4, 1)
    chain.send(chain.request(A, 1), A, value=BOND)
    meter.weigh("slash, three over two eons", 101_488, slash(4), OPERATOR)
    chain.at(4, 10).commit(everything)
    for _ in range(40):
        chain.send(chain.request(A, 1), A, value=BOND)
    meter.weigh("slash, 40 of one eon", 416_793, slash(4), OPERATOR)


def _disputes(meter: Meter) -> None:
    """A pays B actively, B pays D passively, D pays A passively with its newest transfer."""
    chain, token = meter.chain, _prepared(meter)
    active = Transfer(A, B, ETHER, 5, recipient_trail=1)
    passive = Transfer(B, D, ETHER, transfer_tag(0, 6), recipient_trail=2)
    newest = Transfer(D, A, ETHER, 2**256 - 1, recipient_trail=0)
    filler = [bytes([n]) * 32 for n in range(1, 4)]
    sender = State(chain, A, 0, 2, (active.leaf(), *filler), spent=ETHER)
    middle = State(chain, B, 1, 2, (active.leaf(A), passive.leaf(), *filler[:2]), ETHER, ETHER)
    single = State(chain, B, 1, 2, (passive.leaf(),), spent=ETHER)
    last = State(chain, D, 2, 2, (newest.leaf(),), spent=ETHER)
    to_last = Receipts(2, ((B.address, ETHER, 6),))
    to_first = Receipts(0, ((D.address, ETHER, 2**256 - 1),))
    share = 100 * ETHER
    members = [
        sender.member(share, **to_first.committed()),
        middle.member(share),
        last.member(share, **to_last.committed()),
        *[Member(w.address, share) for w in WALLETS[3:]],
    ]
    chain.at(3, 1).commit({chain.ether: members, token: meter.equal(token)[token]})
    chain.at(3, 20)
    old = {w.index: chain.allotment(2, chain.ether, w.address) for w in WALLETS}
    new = {w.index: chain.allotment(3, chain.ether, w.address) for w in WALLETS}
    idle, other = WALLETS[4], WALLETS[5]
    weigh = meter.weigh
    name = "challenge state update"
    call = challenge_agreement(State(chain, idle, 4, 2))
    weigh(f"{name}, agreement only", 195_547, call, idle, value=STAKE)
    call = challenge_allotment(chain, old[A.index], sender)
    weigh(f"{name}, with allotment", 307_420, call, A, value=STAKE)
    call = answer_state_update(chain, idle, new[idle.index])
    weigh("answer state update, zero deltas", 154_649, call, other)
    call = answer_state_update(chain, A, new[A.index], sender)
    weigh("answer state update, both signatures", 174_660, call, other)
    call = challenge_delivery(sender, active)
    weigh("challenge delivery, active", 243_783, call, A, value=STAKE)
    call = challenge_delivery(single, passive)
    weigh("challenge delivery of a passive transfer", 240_954, call, B, value=STAKE)
    call = answer_delivery(middle, active, new[B.index])
    weigh("answer delivery, active", 137_045, call, other)
    call = answer_passively(chain, passive, new[D.index], to_last, position=0, nonce=6)
    weigh("answer delivery, passive", 134_184, call, other)
    call = challenge_last_delivery(last, newest, new[D.index])
    weigh("challenge delivery, passive form", 291_986, call, D, value=STAKE)
    call = answer_passively(chain, newest, new[A.index], to_first, position=0, nonce=2**256 - 1)
    weigh("answer to the passive form", 124_359, call, other)


def _swap(meter: Meter) -> None:
    chain, token = meter.chain, _prepared(meter)
    order = OrderTerms(token, chain.ether, 0, ETHER, ETHER, 9)
    debit = State(chain, A, 0, 2, (order.leaf(100 * ETHER),), spent=ETHER, token=token)
    credit = State(chain, A, 0, 2, (order.leaf(CLOSED),), ETHER, ETHER)
    everything = meter.equal(chain.ether, token)
    everything[token][0] = debit.member(99 * ETHER)
    everything[chain.ether][0] = credit.member(100 * ETHER)
    chain.at(3, 1).commit(everything)
    chain.at(3, 20)
    leaf = chain.allotment(3, token, A.address)
    call = challenge_swap(debit, order, 100 * ETHER, leaf)
    meter.weigh("challenge swap", 390_222, call, A, value=STAKE)
    call = answer_swap(credit, order, CLOSED, chain.allotment(3, chain.ether, A.address))
    meter.weigh("answer swap, finished order", 142_688, call, B)


def _recovery(meter: Meter) -> None:
    chain, token = meter.chain, _prepared(meter)
    everything = meter.equal(chain.ether, token)
    chain.at(3, 1).commit(everything)
    chain.send(chain.request(D, ETHER), D, value=BOND)
    chain.commit_each(4, 5, 1, everything)
    for eon in (5, 6):
        chain.at(eon, 5)
        chain.send(meter.deposit(chain.ether, D), D, value=ETHER)
    chain.at(7, 0)
    only = chain.functions.recoverOnlyParentChainFunds(checksum(chain.ether), checksum(D.address))
    meter.weigh("recoverOnlyParentChainFunds, two deposits, one request", 108_100, only, D)
    cases = [
        ("ETH, first", 173_058, A, chain.ether),
        ("ETH, later", 175_922, B, chain.ether),
        ("ERC-20", 216_184, A, token),
    ]
    for label, figure, wallet, asset in cases:
        call = chain.recover(wallet, chain.allotment(4, asset, wallet.address), token=asset)
        meter.weigh(f"recoverAllFunds {label}", figure, call, wallet)
