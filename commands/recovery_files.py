"""One file a holder: the proof, the call, and in words how to get the money back alone."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any, Final

from api.rendering.proofs import decimals, prefixed
from chain.abi import functions
from ledger.parameters import Parameters
from ledger.proofs import AllotmentProof
from ledger.recovery import Claim
from protocol.address import checksum_address
from protocol.encoding import ZERO_HASH

FORMAT: Final = "nocust-recovery-1"
EXPLANATION: Final = (
    "This file gets the money of `holder` out of the commit-chain's contract after the chain has"
    " halted. It needs no operator, only a node of the chain and an account that pays the gas, and"
    " it may be used by anybody: the contract pays `holder` and nobody else. Send a transaction to"
    " `contract` with `call.data` and no value, from any account, with any wallet program or with"
    " `nocust-operator recover FILE`. The contract refuses it (reason f) until the chain has"
    " halted, and a second time (a). If there is no `proof`, there was nothing in the usable"
    " checkpoint, and the call returns deposits and matured requests only. Without a halt a file"
    " is outdated by the next checkpoint: then export anew."
)
_UNSAFE: Final = re.compile(r"[^A-Za-z0-9]")


def file_name(claim: Claim) -> str:
    """`ETH-0x….json`, whatever a token is called."""
    short_name = _UNSAFE.sub("_", claim.short_name)[:20]
    return f"{short_name}-{claim.token.hex()[:8]}-{checksum_address(claim.holder)}.json"


def compose(parameters: Parameters, claim: Claim, *, last_submitted_eon: int) -> dict[str, Any]:
    """Everything that recovery needs, as JSON."""
    proof = claim.proof
    return {
        "format": FORMAT,
        "explanation": EXPLANATION,
        "chain_id": parameters.chain_id,
        "contract": checksum_address(parameters.contract),
        "holder": checksum_address(claim.holder),
        "token": checksum_address(claim.token),
        "token_name": claim.short_name,
        "last_submitted_eon": last_submitted_eon,
        "allotment": None if proof is None else str(proof.right - proof.left),
        "proof": None if proof is None else _proof(proof),
        "call": _call(claim),
    }


def write(folder: Path, name: str, document: dict[str, Any]) -> None:
    """Write one file, new."""
    with (folder / name).open("x", encoding="utf-8") as stream:
        json.dump(document, stream, indent=2)
        stream.write("\n")


def _proof(proof: AllotmentProof) -> dict[str, Any]:
    """The members of the wire's Proof, without the state that the leaf was made of."""
    return {
        "eon_number": proof.eon,
        "left": str(proof.left),
        "right": str(proof.right),
        "allotment_chain": prefixed(proof.hashes),
        "membership_chain": prefixed(proof.membership_hashes),
        "values": decimals(proof.values),
        "trail": proof.trail,
        "active_state_checksum": f"0x{(proof.active_state_digest or ZERO_HASH).hex()}",
        "active_state": None,
        "passive_checksum": f"0x{(proof.passive_root or ZERO_HASH).hex()}",
        "passive_amount": str(proof.passive_amount),
        "passive_marker": str(proof.passive_marker),
    }


def _call(claim: Claim) -> dict[str, str]:
    proof = claim.proof
    if proof is None:
        function = functions()["recoverOnlyParentChainFunds"]
        data = function.encode(claim.token, claim.holder)
    else:
        function = functions()["recoverAllFunds"]
        data = function.encode(
            claim.token,
            claim.holder,
            (proof.active_state_digest or ZERO_HASH, proof.passive_root or ZERO_HASH),
            proof.trail,
            list(proof.hashes),
            list(proof.membership_hashes),
            list(proof.values),
            (proof.left, proof.right),
            (0, proof.passive_amount, proof.passive_marker),
        )
    signature = f"{function.name}({','.join(function.inputs)})"
    return {"function": signature, "data": f"0x{data.hex()}", "value": "0"}
