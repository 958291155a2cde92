"""The family of encoded operator transactions, with the labels that the original stored."""

from collections.abc import Callable, Sequence
from typing import TypeAlias

from protocol.encoding import ZERO_HASH
from protocol.signing import parse_signature
from protocol.vectors.abi import Argument, encode_call
from protocol.vectors.comparison import Computed
from protocol.vectors.inputs import Inputs, InvalidVector, hexadecimal

Call: TypeAlias = tuple[str, Sequence[Argument], str | None]
"""The types of a call's arguments, the arguments, and the label of the original."""

_ANSWER_DELIVERY = "answerTransferDeliveryChallengeWithProofOfActiveStateUpdateAgreement"

# Labels name an eon and a wallet's number that the recorder fixed for all cases.
_CHALLENGE_LABEL = "challenge_3"
_CONFIRMATION_LABEL = "withdrawal_confirmation_7_3"


class Calls:
    """Encodes the calls of one file; slashes are numbered in the order of their cases."""

    def __init__(self) -> None:
        self._slashes = 0
        self._by_name: dict[str, Callable[[Inputs], Call]] = {
            "submitCheckpoint": _submit_checkpoint,
            "answerStateUpdateChallenge": _answer_state_update,
            _ANSWER_DELIVERY: _answer_delivery,
            "answerSwapChallengeWithProofOfExclusiveBalanceAllotment": _answer_swap,
            "slashWithdrawalWithProofOfMinimumAvailableBalance": self._slash,
            "confirmWithdrawal": _confirm,
            "registerERC20": _register,
            "requestDelegatedWithdrawal": _request_delegated,
        }

    def __call__(self, inputs: Inputs) -> Computed:
        """Encode one case's call."""
        name = inputs.text("function")
        if name not in self._by_name:
            raise InvalidVector(f"inputs.function: unknown function {name!r}")
        types, arguments, label = self._by_name[name](inputs)
        return {"calldata": hexadecimal(encode_call(f"{name}({types})", arguments)), "tag": label}

    def _slash(self, inputs: Inputs) -> Call:
        signature = parse_signature(inputs.text("marker_signature"))
        label = f"withdrawal_request_{self._slashes}"
        self._slashes += 1
        return (
            "address,address,uint256[2],bytes32[2],uint8",
            [
                inputs.address("token"),
                inputs.address("wallet"),
                [inputs.integer("marker_eon"), inputs.amount("marker_amount")],
                [signature[:32], signature[32:64]],
                signature[64],
            ],
            label,
        )


def _submit_checkpoint(inputs: Inputs) -> Call:
    basis, root = inputs.digest("basis"), inputs.digest("merkle_root")
    label = f"root_checkpoint_{inputs.integer('eon_number')}_{basis.hex()}_{root.hex()}"
    return "bytes32,bytes32", [basis, root], label


def _answer_state_update(inputs: Inputs) -> Call:
    wallet, operator = _split(inputs, "wallet_signature"), _split(inputs, "operator_signature")
    issuer = inputs.address("issuer")
    return (
        "address,address,bytes32[],bytes32[],uint256[],uint256[2][3],bytes32[6],uint8[2]",
        [
            inputs.address("token"),
            issuer,
            *_allotment(inputs),
            _intervals(inputs),
            [
                *wallet[:2],
                *operator[:2],
                inputs.digest("tx_set_hash"),
                inputs.digest("passive_checksum"),
            ],
            [wallet[2], operator[2]],
        ],
        _challenge_label(inputs, "token", "issuer", "issuer", 0),
    )


def _answer_delivery(inputs: Inputs) -> Call:
    index = inputs.integer("tx_index")
    return (
        "address,address[2],uint64,bytes32[],bytes32[],uint256[],uint256[2][3],bytes32[2],bytes32[]",
        [
            inputs.address("token"),
            [inputs.address("sender"), inputs.address("recipient")],
            index,
            *_allotment(inputs),
            _intervals(inputs),
            [inputs.digest("tx_set_hash"), inputs.digest("passive_checksum")],
            _hashes(inputs, "tx_proof"),
        ],
        _challenge_label(inputs, "token", "sender", "recipient", index),
    )


def _answer_swap(inputs: Inputs) -> Call:
    index = inputs.integer("tx_index")
    hashes, membership, values = _allotment(inputs)
    return (
        "address[2],address,uint64,bytes32[],bytes32[],bytes32[],uint256[],uint256[2][3],uint256,"
        "bytes32[3]",
        [
            [inputs.address("sell_token"), inputs.address("buy_token")],
            inputs.address("issuer"),
            index,
            hashes,
            membership,
            _hashes(inputs, "tx_proof"),
            values,
            _intervals(inputs),
            inputs.amount("starting_balance"),
            [inputs.digest("tx_set_hash"), inputs.digest("passive_checksum"), ZERO_HASH],
        ],
        _challenge_label(inputs, "sell_token", "issuer", "issuer", index),
    )


def _confirm(inputs: Inputs) -> Call:
    arguments = [inputs.address("token"), inputs.address("wallet")]
    return "address,address", arguments, _CONFIRMATION_LABEL


def _register(inputs: Inputs) -> Call:
    label = f"registerERC20_0x{inputs.text('token').removeprefix('0x')}"
    return "address", [inputs.address("token")], label


def _request_delegated(inputs: Inputs) -> Call:
    return (
        "address,address,uint256,uint256,bytes32,bytes32,uint8",
        [
            inputs.address("token"),
            inputs.address("wallet"),
            inputs.amount("amount"),
            inputs.amount("expiry"),
            inputs.digest("r"),
            inputs.digest("s"),
            inputs.integer("v"),
        ],
        None,
    )


def _allotment(inputs: Inputs) -> tuple[list[bytes], list[bytes], list[int]]:
    values = inputs.text("merkle_proof_values")
    return (
        _hashes(inputs, "merkle_proof_hashes"),
        _hashes(inputs, "membership_hashes"),
        [int(value) for value in values.split(",")] if values else [],
    )


def _intervals(inputs: Inputs) -> list[list[int]]:
    pairs = (
        ("left", "right"),
        ("updated_spendings", "updated_gains"),
        ("passive_amount", "passive_marker"),
    )
    return [[inputs.amount(field) for field in pair] for pair in pairs]


def _hashes(inputs: Inputs, field: str) -> list[bytes]:
    chain = bytes.fromhex(inputs.text(field))
    if len(chain) % 32:
        raise InvalidVector(f"inputs.{field}: not a chain of hashes")
    return [chain[i : i + 32] for i in range(0, len(chain), 32)]


def _split(inputs: Inputs, field: str) -> tuple[bytes, bytes, int]:
    signature = parse_signature(inputs.text(field))
    return signature[:32], signature[32:64], signature[64]


def _challenge_label(inputs: Inputs, token: str, sender: str, recipient: str, index: int) -> str:
    names = [inputs.text(field).removeprefix("0x") for field in (token, sender, recipient)]
    return "_".join([_CHALLENGE_LABEL, *names, str(index)])
