"""Registrations and transfers as the recorded server answered them."""

from protocol.address import parse_address
from protocol.markers import minimum_available_balance_digest
from protocol.orders import Totals
from protocol.signing import InvalidSignature, is_signed_by, parse_signature
from protocol.states import admission_digest
from protocol.transfers import LAST_POSITION, transfer_leaf
from protocol.vectors.comparison import Computed
from protocol.vectors.inputs import Inputs, InvalidVector
from protocol.vectors.scenario.answers import accepted_transfer
from protocol.vectors.scenario.network import Network
from protocol.vectors.scenario.records import Row, SignedState, Token, Wallet


class Refused(Exception):
    """A request that the server answered with an error; `answer` is the body."""

    def __init__(self, answer: Computed) -> None:
        super().__init__()
        self.answer = answer


def error(code: str, message: str = "") -> Computed:
    """One error of an answer's list."""
    return {"message": message, "code": code}


def admission(network: Network, body: Inputs) -> Computed:
    """A registration: stored, countersigned later."""
    token = network.token(body.text("token"))
    text, authorization = body.text("address"), _signature(body, "authorization")
    terms = _signature(body, "tos_signature")
    if token is None or body.text("token").startswith("0x"):
        raise Refused({"token": [error("TOKEN_NOT_REGISTERED")]})
    if network.wallet(token, text) is not None:
        raise Refused({"non_field_errors": [error("WALLET_ALREADY_ADMITTED")]})
    address = parse_address(text)
    digest = admission_digest(
        contract=network.contract, token=token.address, wallet=address, trail=0, eon=network.eon
    )
    if not is_signed_by(digest, authorization, address):
        raise Refused({"non_field_errors": [error("INVALID_ADMISSION_SIGNATURE")]})
    if not is_signed_by(network.terms, terms, address):
        raise Refused({"non_field_errors": [error("INVALID_TOS_SIGNATURE")]})
    digits = text.removeprefix("0x")
    network.wallets.append(Wallet(token, digits, address, network.eon, authorization))
    return {
        "authorization": None,
        "address": f"0x{digits}",
        "token": f"0x{token.text}",
        "tos_signature": None,
    }


def process_admissions(network: Network) -> None:
    """Assign trails to the wallets that wait, in order, and countersign."""
    for wallet in network.wallets:
        if wallet.operator_authorization is not None:
            continue
        wallet.trail = sum(
            other.token is wallet.token and other.operator_authorization is not None
            for other in network.wallets
        )
        digest = admission_digest(
            contract=network.contract,
            token=wallet.token.address,
            wallet=wallet.address,
            trail=wallet.trail,
            eon=wallet.eon,
        )
        wallet.operator_authorization = network.operator.sign(digest)


def transfer(network: Network, body: Inputs) -> Computed:
    """A transfer: checked, appended and countersigned, or refused."""
    eon, nonce = body.integer("eon_number"), body.amount("nonce")
    amount, marker = body.amount("amount"), body.amount("debit_balance")
    state_signature = _signature(body, "debit_signature")
    marker_signature = _signature(body, "debit_balance_signature")
    sender, recipient = parties(network, body)
    if sender is recipient:
        raise Refused({"non_field_errors": [error("DEBIT_CREDIT_WALLET_ADDRESS_MATCH")]})
    if eon != network.eon:
        raise Refused([error("EON_NUMBER_OUT_OF_SYNC")])
    spendable = network.spendable(sender)
    if amount > spendable:
        message = f"Amount too high: {amount} > {spendable}"
        raise Refused([error("DEBIT_WALLET_OVERSPENDING", message)])
    if marker > spendable - amount:
        raise Refused([error("DEBIT_WALLET_BALANCE_MARKER_EXCEED_BALANCE")])
    if not is_signed_by(
        marker_digest(network, sender, eon, marker), marker_signature, sender.address
    ):
        raise Refused([error("INVALID_DEBIT_BALANCE_SIGNATURE")])
    row = Row(
        number=len(network.rows) + 1,
        transaction=network.transactions,
        eon=eon,
        sender=sender,
        recipient=recipient,
        amount=amount,
        nonce=nonce,
    )
    state = _state_after(network, row, state_signature)
    if not is_signed_by(state.digest(network.contract), state_signature, sender.address):
        raise Refused([error("INVALID_DEBIT_SIGNATURE")])
    row.position = sum(other.amount for other in network.receipts(recipient, eon))
    row.states["sender_active_state"] = state
    row.processed = row.complete = row.appended = True
    network.countersign(state)
    network.rows.append(row)
    network.transactions += 1
    network.unrecorded_states.append(state)
    return accepted_transfer(row)


def parties(network: Network, body: Inputs) -> tuple[Wallet, Wallet]:
    """Find both wallets of a transaction; the server minds the letter case here."""
    errors: dict[str, Computed] = {}
    found = []
    for field in ("wallet", "recipient"):
        named = body.record(field)
        token, text = named.text("token"), named.text("address")
        known = next((t for t in network.tokens if t.text == token), None)
        wallet = None if known is None else _exact_wallet(network, known, text)
        if known is None:
            errors[field] = [error("TOKEN_NOT_REGISTERED")]
        elif wallet is None:
            errors[field] = [error("WALLET_NOT_ADMITTED")]
        found.append(wallet)
    sender, recipient = found
    if sender is None or recipient is None:
        raise Refused(errors)
    return sender, recipient


def marker_digest(network: Network, wallet: Wallet, eon: int, amount: int) -> bytes:
    """Hash a wallet's minimum-available-balance marker."""
    return minimum_available_balance_digest(
        contract=network.contract,
        token=wallet.token.address,
        wallet=wallet.address,
        eon=eon,
        amount=amount,
    )


def signature_of(record: Inputs) -> bytes:
    """Read a signature from its object."""
    return parse_signature(record.text("value"))


def require_signed(digest: bytes, signature: bytes, wallet: Wallet, field: str) -> None:
    """Check a signature that the recorded server accepted. Raises `InvalidVector`."""
    if not is_signed_by(digest, signature, wallet.address):
        raise InvalidVector(f"inputs.body.{field}: not the wallet's signature of what we derive")


def _state_after(network: Network, row: Row, signature: bytes) -> SignedState:
    sender = row.sender
    totals: Totals = network.totals(sender, row.eon)
    before = network.frontier_before(sender, row.eon)
    leaf = transfer_leaf(
        counterparty=row.recipient.address,
        amount=row.amount,
        recipient_trail=row.recipient.trail,
        position=LAST_POSITION,
        nonce=row.nonce,
    )
    return SignedState(
        wallet=sender,
        eon=row.eon,
        root=before.root_with(leaf),
        spent=totals.spent + row.amount,
        gained=totals.gained,
        index=before.count,
        path=before.path_with(),
        wallet_signature=signature,
    )


def _exact_wallet(network: Network, token: Token, text: str) -> Wallet | None:
    return next((w for w in network.wallets if w.token is token and w.text == text), None)


def _signature(body: Inputs, field: str) -> bytes:
    try:
        return signature_of(body.record(field))
    except InvalidSignature as malformed:
        raise InvalidVector(f"{body.name}.{field}: {malformed}") from malformed
