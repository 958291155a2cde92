"""The contract that this database belongs to, and the rules that follow from it."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields

from sqlalchemy import insert
from sqlalchemy.orm import Session

from ledger.refusals import LedgerInvariant
from ledger.rules import LedgerPolicy, LedgerRules
from models import ContractParameters
from protocol.address import Address
from protocol.clock import EonClock
from protocol.editions import ContractEdition
from protocol.public_accounts import is_usable
from protocol.signing import MessageSigner


class ForeignDatabase(LedgerInvariant):
    """The database belongs to another contract, or to another operator's key."""


class PublicKey(LedgerInvariant):
    """The operator signs with a key that everybody knows, on a chain that is no development one."""


@dataclass(frozen=True, slots=True)
class Parameters:
    """What a contract's deployment fixed for ever. `challenge_cost` in wei for each gas."""

    chain_id: int
    contract: Address
    operator: Address
    edition: ContractEdition
    code_hash: bytes
    genesis_block: int
    blocks_per_eon: int
    eons_kept: int
    deposits_kept: int
    challenge_cost: int


def find_parameters(session: Session) -> Parameters | None:
    """Read the stored parameters, None before bootstrap."""
    row = session.get(ContractParameters, 1)
    if row is None:
        return None
    values = {field.name: getattr(row, field.name) for field in fields(Parameters)}
    return Parameters(**values | {"edition": ContractEdition(row.edition)})


def store_parameters(session: Session, parameters: Parameters) -> None:
    """Store the parameters, once; later they are compared.

    Raises `ForeignDatabase`, naming the first that differs.
    """
    stored = find_parameters(session)
    if stored is None:
        values = asdict(parameters) | {"edition": parameters.edition.value}
        session.execute(insert(ContractParameters).values(id=1, **values))
        return
    for field in fields(Parameters):
        if getattr(stored, field.name) != getattr(parameters, field.name):
            raise ForeignDatabase(f"the database belongs to another contract: {field.name} differs")


def load_rules(
    session: Session, *, operator: MessageSigner, policy: LedgerPolicy
) -> LedgerRules | None:
    """Compose the ledger's rules from what is stored and what is set; None before bootstrap.

    Raises `ForeignDatabase` when the key is not the operator's of this contract, and `PublicKey`
    when everybody has it.
    """
    stored = find_parameters(session)
    if stored is None:
        return None
    if stored.operator != operator.address:
        raise ForeignDatabase("the key does not belong to the operator of this contract")
    if not is_usable(stored.operator, stored.chain_id):
        raise PublicKey(f"everybody knows the operator's key, on chain {stored.chain_id}")
    return LedgerRules(
        contract=stored.contract,
        operator=operator,
        clock=EonClock(stored.genesis_block, stored.blocks_per_eon),
        edition=stored.edition,
        **asdict(policy),
    )
