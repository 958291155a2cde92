"""Getting money back from a halted contract with nothing but a file, a node and some gas."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from protocol.address import Address, InvalidAddress, parse_address
from wallet.disputes import Disputes
from wallet.errors import MalformedAnswer, WalletError
from wallet.parent_chain import Mined, ParentChain
from wallet.wire import AllotmentProof

FORMAT: Final = "nocust-recovery-1"
LARGEST_BYTES: Final = 1024 * 1024
_UNREADABLE: Final = (OSError, ValueError, KeyError, TypeError, InvalidAddress, MalformedAnswer)


class UnusableFile(WalletError):
    """The file is no recovery file, or belongs to another chain."""


@dataclass(frozen=True, slots=True)
class RecoveryFile:
    """What a file says; `proof` is None where only deposits and matured requests come back."""

    chain_id: int
    contract: Address
    token: Address
    holder: Address
    proof: AllotmentProof | None

    @classmethod
    def read(cls, path: Path) -> RecoveryFile:
        """Read a file. Raises `UnusableFile`."""
        try:
            if path.stat().st_size > LARGEST_BYTES:
                raise UnusableFile(f"{path} is larger than any recovery file")
            document: Any = json.loads(path.read_text(encoding="utf-8"))
            if document["format"] != FORMAT:
                raise UnusableFile(f"{path} has a format that this version does not know")
            proof = document["proof"]
            return cls(
                int(document["chain_id"]),
                parse_address(document["contract"]),
                parse_address(document["token"]),
                parse_address(document["holder"]),
                None if proof is None else AllotmentProof.read(proof),
            )
        except _UNREADABLE as error:
            raise UnusableFile(f"{path} is no recovery file: {type(error).__name__}") from None


def recover(file: RecoveryFile, node_url: str, key: bytes) -> Mined:
    """Send the call that pays the file's holder; the account of `key` pays the gas.

    Raises `UnusableFile` for a file of another chain, `ChainFailure` with the contract's reason.
    """
    chain = ParentChain(node_url, file.contract)
    found = chain.chain_id()
    if found != file.chain_id:
        raise UnusableFile(f"the file is of chain {file.chain_id}, the node of chain {found}")
    disputes = Disputes(chain)
    if file.proof is None:
        return disputes.recover_without_allotment(key, file.token, file.holder)
    return disputes.recover(key, file.token, file.holder, file.proof)
