"""Placing an order: every rule in the order in which a wallet sees it fail, then its rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID, uuid4

from sqlalchemy.orm import Session

from ledger.accounts import Account, lock_accounts
from ledger.clock import cursor_of, require_intake
from ledger.identities import IdentityCache, Lookup, WalletIdentity, WalletName
from ledger.notifications import token_pair_stream
from ledger.orders.moment import Moment, read_current_eon, read_moment
from ledger.orders.placing import PREPARATIONS, OrderRows, store_order
from ledger.orders.requests import OrderRefused, OrderRequest
from ledger.orders.writing import Owner, state_digest
from ledger.refusals import Refusal
from ledger.rules import LedgerRules
from ledger.switches import Entry, require_running
from ledger.terms import judge_terms
from protocol.markers import minimum_available_balance_digest
from protocol.orders import (
    OrderState,
    OrderTerms,
    PlacementStates,
    Side,
    Totals,
    placement_states,
)
from protocol.signing import is_signed_by
from protocol.trees.transaction_set import EMPTY, Frontier


@dataclass(frozen=True, slots=True)
class PlacedOrder:
    """An order that is stored: its copy of the current eon, and who is told of it."""

    transfer_id: int
    tx_id: UUID
    streams: tuple[str, str, str]


def place_order(
    session: Session, rules: LedgerRules, identities: IdentityCache, request: OrderRequest
) -> PlacedOrder:
    """Judge and store an order with a copy for each of its eons; countersign the current one.

    Refuses with the wire's codes: `INTAKE_CLOSED`, `INVALID_TOS_SIGNATURE`, references under
    `wallet` and `recipient`, `unique`, then the rules of protocol: placing an order.
    """
    cursor = cursor_of(session)
    PREPARATIONS.ensure(cursor.connection, cursor)
    debit_name = (request.debit_token, request.debit_address)
    credit_name = (request.credit_token, request.credit_address)
    lookup = identities.look_up(cursor, (debit_name, credit_name))
    debit, credit = lookup.admitted.get(debit_name), lookup.admitted.get(credit_name)
    accounts: dict[int, Account] = {}
    if debit is not None and credit is not None and request.eon == read_current_eon(cursor):
        accounts = lock_accounts(cursor, (debit.wallet_id, credit.wallet_id), request.eon)
    moment = read_moment(cursor, request, debit, credit)
    require_intake(moment.view, rules, now=moment.time)
    require_running(moment.paused, Entry.ORDERS)
    if moment.terms is not None:
        signed = moment.signed_terms_id
        judge_terms(rules, request.debit_address, moment.terms, signed, now=moment.time)
    _require_references(lookup, debit_name, credit_name)
    _require_unused_nonce(moment)
    _require_form(rules, request)
    sender, recipient = _require_parties(debit, credit)
    _require_market(request, moment, accounts)
    side, other = accounts[sender.wallet_id], accounts[recipient.wallet_id]
    _require_money(request, side, other)
    _require_answerable(rules, request, side, other)
    terms = OrderTerms(
        request.debit_token,
        request.credit_token,
        recipient.trail,
        request.amount,
        request.amount_swapped,
        request.nonce,
    )
    before = before_the_order(side), before_the_order(other)
    states = placement_states(
        terms,
        eon=request.eon,
        eons=len(request.debit_signatures),
        debit=before[0],
        credit=before[1],
    )
    owners = owner_of(sender), owner_of(recipient)
    _require_signatures(rules, request, owners, states)
    streams = (recipient.stream, sender.stream, pair_of(*owners))
    rows = OrderRows(request, uuid4(), owners, states, (side, other), before, terms, streams)
    transfer_id = store_order(cursor, rules, rows, moment)
    return PlacedOrder(transfer_id, rows.tx_id, streams)


def owner_of(wallet: WalletIdentity) -> Owner:
    """Describe an admitted wallet as a side of an order."""
    return Owner(
        wallet.wallet_id,
        wallet.token,
        wallet.token_text,
        wallet.address,
        wallet.text,
        wallet.trail,
    )


def pair_of(debit: Owner, credit: Owner) -> str:
    """Name the stream of the direction in which an order trades."""
    return token_pair_stream(debit.token_text, credit.token_text)


def before_the_order(account: Account) -> Side:
    """Describe a wallet's totals, whole set and opening balance before an order is appended."""
    frontier = Frontier.from_bytes(account.frontier) if account.frontier else EMPTY
    if account.last_leaf is not None:
        frontier = frontier.append(account.last_leaf)
    return Side(Totals(account.spent, account.gained), frontier, account.allotment or 0)


def _require_references(lookup: Lookup, debit: WalletName, credit: WalletName) -> None:
    reasons = []
    for name, field in ((debit, "wallet"), (credit, "recipient")):
        if name in lookup.admitted or name in lookup.pending:
            continue
        known = name[0] in lookup.tokens
        code = "WALLET_NOT_ADMITTED" if known else "TOKEN_NOT_REGISTERED"
        reasons.append(Refusal(code, field=field))
    if reasons:
        raise OrderRefused(*reasons)


def _require_unused_nonce(moment: Moment) -> None:
    reasons = [
        Refusal("unique", f"eon_number, {side} and nonce must be unique together")
        for side, used in (("recipient", moment.used_by_credit), ("wallet", moment.used_by_debit))
        if used
    ]
    if reasons:
        raise OrderRefused(*reasons)


def _require_form(rules: LedgerRules, request: OrderRequest) -> None:
    if not rules.swaps_enabled:
        raise OrderRefused(Refusal("SWAPPING_DISABLED"))
    count = len(request.debit_signatures)
    if count > rules.order_eons_limit:
        raise OrderRefused(Refusal("TOO_MANY_FUTURE_SIGNATURES"))
    lists = (
        request.debit_marker_signatures,
        request.credit_signatures,
        request.credit_marker_signatures,
        request.fulfilment_signatures,
    )
    if count == 0 or any(len(signatures) != count for signatures in lists):
        raise OrderRefused(Refusal("WRONG_NUMBER_OF_SIGNATURES"))


def _require_parties(
    debit: WalletIdentity | None, credit: WalletIdentity | None
) -> tuple[WalletIdentity, WalletIdentity]:
    if debit is None:
        raise OrderRefused(Refusal("DEBIT_WALLET_NOT_ADMITTED"))
    if credit is None:
        raise OrderRefused(Refusal("CREDIT_WALLET_NOT_ADMITTED"))
    if debit.address != credit.address:
        raise OrderRefused(Refusal("DEBIT_CREDIT_WALLET_ADDRESS_MISMATCH"))
    if debit.token == credit.token:
        raise OrderRefused(Refusal("DEBIT_CREDIT_TOKEN_ADDRESS_MATCH"))
    return debit, credit


def _require_market(request: OrderRequest, moment: Moment, accounts: dict[int, Account]) -> None:
    """The pair is open and the eon runs with its checkpoint: earlier, opening balances move."""
    if not moment.pair_is_open:
        raise OrderRefused(Refusal("TOKEN_PAIR_BLOCKED"))
    if (
        request.eon != moment.view.current_eon
        or moment.closed
        or not accounts
        or any(account.allotment is None for account in accounts.values())
    ):
        raise OrderRefused(Refusal("EON_NUMBER_OUT_OF_SYNC"))


def _require_money(request: OrderRequest, debit: Account, credit: Account) -> None:
    if debit.open_order_id is not None:
        raise OrderRefused(Refusal("DEBIT_WALLET_CANNOT_ADD_TRANSACTION"))
    if credit.open_order_id is not None:
        raise OrderRefused(Refusal("CREDIT_WALLET_CANNOT_ADD_TRANSACTION"))
    if request.amount > debit.loosely_available:
        raise OrderRefused(Refusal("DEBIT_WALLET_OVERSPENDING"))
    if request.amount != debit.loosely_available:
        raise OrderRefused(Refusal("DEBIT_WALLET_BALANCE_AMOUNT_MISMATCH"))
    if credit.loosely_available != 0:
        raise OrderRefused(Refusal("CREDIT_WALLET_BALANCE_NOT_ZERO"))


def _require_answerable(
    rules: LedgerRules, request: OrderRequest, debit: Account, credit: Account
) -> None:
    """On a contract that does not see deposits in answers, money deposited in this very eon can
    neither be sold nor have passed through the credit wallet."""
    for account, pays, code in (
        (debit, request.amount, "DEBIT_WALLET_OVERSPENDING"),
        (credit, 0, "CREDIT_WALLET_BALANCE_NOT_ZERO"),
    ):
        base = rules.edition.swap_answer_base(
            start=account.allotment or 0,
            gained=account.gained,
            passive_amount=account.receipt_total,
            deposits=0,
            withdrawals=0,
            spent=account.spent + pays,
        )
        if base is None:
            reason = "this eon's deposits can be traded from the next eon on"
            raise OrderRefused(Refusal(code, reason))


def _require_signatures(
    rules: LedgerRules,
    request: OrderRequest,
    owners: tuple[Owner, Owner],
    states: PlacementStates,
) -> None:
    """Every eon's two markers, then its three states, eon after eon."""
    debit, credit = owners

    def require(signed: bool, code: str) -> None:
        if not signed:
            raise OrderRefused(Refusal(code))

    def marked(owner: Owner, eon: int, signature: bytes) -> bool:
        digest = minimum_available_balance_digest(
            contract=rules.contract, token=owner.token, wallet=owner.address, eon=eon, amount=0
        )
        return is_signed_by(digest, signature, owner.address)

    def agreed(owner: Owner, listed: Sequence[OrderState], later: int, signature: bytes) -> bool:
        return is_signed_by(state_digest(rules, owner, listed[later]), signature, owner.address)

    for later in range(len(request.debit_signatures)):
        future = "FUTURE_" if later else ""
        eon = request.eon + later
        require(
            marked(debit, eon, request.debit_marker_signatures[later]),
            "INVALID_DEBIT_BALANCE_SIGNATURE",
        )
        require(
            marked(credit, eon, request.credit_marker_signatures[later]),
            "INVALID_CREDIT_BALANCE_SIGNATURE",
        )
        require(
            agreed(debit, states.debit, later, request.debit_signatures[later]),
            f"INVALID_{future}DEBIT_SIGNATURE",
        )
        require(
            agreed(credit, states.credit, later, request.credit_signatures[later]),
            f"INVALID_{future}CREDIT_SIGNATURE",
        )
        require(
            agreed(credit, states.fulfilment, later, request.fulfilment_signatures[later]),
            f"INVALID_{future}CREDIT_FULFILLMENT_SIGNATURE",
        )
