"""Which contract this is: its edition and what its deployment fixed for ever."""

from dataclasses import dataclass, fields

from chain.abi import functions
from chain.errors import ContractMissing, WrongChain
from chain.node import Reading
from chain.reader import ContractReader
from protocol.address import Address
from protocol.editions import ContractEdition
from protocol.keccak import keccak256

_MAX_NAME_CHARACTERS = 80


@dataclass(frozen=True, slots=True)
class ContractParameters:
    """Fixed at deployment: lengths in blocks and eons, `challenge_cost` in wei for each gas.

    `chain_id` and `code_hash` say where; a later difference in any member means that the
    database belongs to another contract.
    """

    chain_id: int
    code_hash: bytes
    edition: ContractEdition
    operator: Address
    genesis_block: int
    blocks_per_eon: int
    blocks_per_epoch: int
    extended_blocks_per_epoch: int
    eons_kept: int
    deposits_kept: int
    challenge_cost: int


def detect_edition(reader: ContractReader) -> ContractEdition:
    """Which edition lives at the address; raises ContractMissing.

    An edition that this operator does not know raises `protocol.editions.UnknownEdition`.

    The published contract has no such getter and swallows unknown selectors, so that an empty
    answer of an address with code means published.
    """
    getter = functions()["EDITION"]
    returned = reader.node.call(Reading(reader.contract, getter.encode(), getter.name))
    if not returned:
        require_code(reader)
        return ContractEdition.of_answer(None)
    return ContractEdition.of_answer(str(getter.decode(returned)[0])[:_MAX_NAME_CHARACTERS])


def require_code(reader: ContractReader) -> bytes:
    """The contract's code; raises ContractMissing for an address without any."""
    code = reader.node.code(reader.contract)
    if not code:
        raise ContractMissing(f"no code at 0x{reader.contract.hex()}: wrong address or chain")
    return code


def read_parameters(reader: ContractReader) -> ContractParameters:
    """Read everything that deployment fixed."""
    chain_id = reader.node.require_chain()
    code = require_code(reader)
    edition = detect_edition(reader)
    _, answers = reader.ask_together(
        ("operator",),
        ("genesis",),
        ("BLOCKS_PER_EON",),
        ("BLOCKS_PER_EPOCH",),
        ("EXTENDED_BLOCKS_PER_EPOCH",),
        ("EONS_KEPT",),
        ("DEPOSITS_KEPT",),
        ("MIN_CHALLENGE_GAS_COST",),
    )
    return ContractParameters(chain_id, keccak256(code), edition, *(one for (one,) in answers))


def require_same(found: ContractParameters, stored: ContractParameters) -> None:
    """Raise WrongChain, naming the first parameter that is not the stored one."""
    for field in fields(ContractParameters):
        here, there = getattr(found, field.name), getattr(stored, field.name)
        if here != there:
            raise WrongChain(
                f"the database belongs to another contract: {field.name} is {_shown(here)}, "
                f"stored is {_shown(there)}"
            )


def _shown(value: object) -> str:
    return f"0x{value.hex()}" if isinstance(value, bytes) else str(value)
