"""Is a payment still what it was meant to be? Asked before every broadcast of a confirmation."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from activities.context import Context
from activities.delegating import DELEGATED, delegation_objection
from activities.slash_preflight import SLASH_DUTIES, check_slash
from chain.abi import functions
from chain.calls import confirm_withdrawal
from chain.errors import CallReverted
from chain.gas import estimate_gas
from models import Slash, Token, TransactionIntent, WithdrawalRequest
from protocol.address import Address
from protocol.clock import EonClock
from protocol.editions import ContractEdition

CONFIRMATION = "withdrawal_confirmation"
FIRST_REQUEST_GAS = 400_000
FURTHER_REQUEST_GAS = 60_000
VOID_WHEN_HALTED = (CONFIRMATION, "slash", "critical_slash", "delegated_withdrawal", "refresh")
OPEN_STATES = ("pending", "confirm_queued")


@dataclass(frozen=True, slots=True)
class PaymentCheck:
    """What paying a desk now would do. `amount` is in the token's smallest unit.

    `reason` is empty when it may be sent. `settled`: the chain owes nothing now, somebody else
    paid or the time has not come; waiting for events is all there is to do.
    """

    amount: int
    gas_ceiling: int
    reason: str = ""
    settled: bool = False


@dataclass(frozen=True, slots=True)
class OpenRequest:
    """An open request as the ledger knows it."""

    id: int
    eon: int
    amount: int


def gas_ceiling(requests: int) -> int:
    """The most gas that the owner pays for; the holder may be code that burns it."""
    return FIRST_REQUEST_GAS + FURTHER_REQUEST_GAS * max(0, requests - 1)


def open_requests(session: Session, token: Address, holder: Address) -> list[OpenRequest]:
    """A holder's unpaid, unslashed, unfrozen requests of one token, oldest first."""
    rows = session.execute(
        select(WithdrawalRequest.id, WithdrawalRequest.eon, WithdrawalRequest.amount)
        .join(Token, Token.id == WithdrawalRequest.token_id)
        .where(
            Token.address == token,
            WithdrawalRequest.address == holder,
            WithdrawalRequest.status.in_(OPEN_STATES),
        )
        .order_by(WithdrawalRequest.eon, WithdrawalRequest.block, WithdrawalRequest.id)
    )
    return [OpenRequest(*row) for row in rows]


def check_payment(context: Context, token: Address, holder: Address) -> PaymentCheck:
    """Compare what the contract lists and would pay at the head with what the ledger has open."""
    gateway = context.gateway
    parameters = gateway.parameters()
    clock = EonClock(parameters.genesis_block, parameters.blocks_per_eon)
    state = gateway.holder(token, holder)
    submitted = gateway.last_submission_eon()
    with context.sessions() as session:
        ours = open_requests(session, token, holder)
    payable = _payable(ours, clock, state.head.number + 1, parameters.edition, submitted)
    due = sum(request.amount for request in payable)
    ceiling = gas_ceiling(len(payable))
    listed = [(one.eon, one.amount) for one in state.pending if one.amount > 0]
    known = [(one.eon, one.amount) for one in ours if one.amount > 0]
    if gateway.is_halted():
        return PaymentCheck(0, ceiling, "the commit-chain is halted", settled=True)
    if listed[: len(known)] != known:
        # Requests newer than what is confirmed may follow; paid ones may be missing in front.
        missing = len(listed) < len(known)
        return PaymentCheck(0, ceiling, "the contract lists other requests", settled=missing)
    if due == 0:
        return PaymentCheck(0, ceiling, "nothing is payable yet", settled=True)
    simulation = gateway.simulate(
        confirm_withdrawal(gateway.contract, token=token, holder=holder), context.operator.address
    )
    if simulation.revert is not None:
        return PaymentCheck(0, ceiling, simulation.revert.meaning)
    paid = int(simulation.returned[0])
    if paid < due:
        return PaymentCheck(paid, ceiling, "the contract pays later", settled=True)
    if paid > due:
        return PaymentCheck(paid, ceiling, f"the contract would pay {paid}, only {due} are due")
    return PaymentCheck(paid, ceiling, _gas_objection(context, token, holder, ceiling))


def void_reason(context: Context, intent: TransactionIntent) -> str | None:
    """Why an intent must not be sent any more, None if it may.

    A payment or a slash that is not what it was meant to be, a withdrawal by delegation that the
    ledger no longer allows, and what a halted contract refuses.
    """
    if is_void_by_halt(context, intent):
        return "the commit-chain is halted"
    if intent.duty in SLASH_DUTIES:
        return _slash_objection(context, intent.id)
    if intent.duty == DELEGATED:
        return delegation_objection(context, intent)
    if intent.duty != CONFIRMATION:
        return None
    token, holder = functions()["confirmWithdrawal"].arguments(bytes(intent.calldata))
    check = check_payment(context, token, holder)
    return check.reason or None


def is_void_by_halt(context: Context, intent: TransactionIntent) -> bool:
    """Whether an intent can only revert because the chain has halted.

    Checkpoints and answers are not among them: their own deadlines end them, and until a block
    is final a reorganisation may still give them their chance.
    """
    return intent.duty in VOID_WHEN_HALTED and context.gateway.is_halted()


def _slash_objection(context: Context, intent_id: int) -> str | None:
    with context.sessions() as session:
        slash_id = session.scalar(select(Slash.id).where(Slash.intent_id == intent_id))
    if slash_id is None:
        return "the decision has another transaction now"
    check = check_slash(context, slash_id)
    return check.reason if check.is_void else None


def _payable(
    requests: list[OpenRequest],
    clock: EonClock,
    block: int,
    edition: ContractEdition,
    submitted: int,
) -> list[OpenRequest]:
    return [
        one
        for one in requests
        if clock.is_payable(one.eon, block)
        and edition.pays_request(one.eon, last_submission_eon=submitted)
    ]


def _gas_objection(context: Context, token: Address, holder: Address, ceiling: int) -> str:
    call = confirm_withdrawal(context.gateway.contract, token=token, holder=holder)
    try:
        used = estimate_gas(context.gateway.node, call, context.operator.address)
    except CallReverted as revert:
        return revert.meaning
    return f"it would use {used} gas, more than {ceiling}" if used > ceiling else ""
