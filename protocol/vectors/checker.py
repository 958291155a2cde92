"""Checking the documents of a folder of vectors."""

from collections import deque
from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple, TypeAlias

from protocol.errors import ProtocolError
from protocol.vectors import leaves, scalars, signed_messages, trees
from protocol.vectors.calls import Calls
from protocol.vectors.comparison import Computed, Json, count_set_aside, differences
from protocol.vectors.inputs import Inputs, InvalidVector
from protocol.vectors.scenario.replay import Replay
from protocol.vectors.swap_states import SwapStates

Recompute: TypeAlias = Callable[[Inputs], Computed]
"""Recomputes one case's expected values from its inputs, and only from them and cases before."""

Documents: TypeAlias = Mapping[str, Json]
"""The parsed files of a folder by name."""

SET_ASIDE_FILES = frozenset({"passive_tree_original.json"})
"""Files that record another form than this project's and are not checked."""

_FAMILIES: dict[str, Recompute] = {
    "accumulator.json": scalars.accumulator,
    "active_state.json": signed_messages.active_state,
    "admission.json": signed_messages.admission,
    "balance_tree.json": trees.balances,
    "checkpoint.json": trees.checkpoint,
    "conduit.json": scalars.swap_conduit,
    "delegated_withdrawal_contract.json": signed_messages.delegated_withdrawal,
    "delegated_withdrawal_endpoint.json": signed_messages.delegated_withdrawal_of_original,
    "encodings.json": scalars.encoding,
    "hash_array.json": scalars.hash_array,
    "minimum_available_balance_marker.json": signed_messages.marker,
    "passive_tree.json": trees.passive_deliveries,
    "signature_verification.json": signed_messages.verification,
    "signatures.json": signed_messages.signature,
    "swap_freeze.json": leaves.swap_freeze,
    "swap_leaf.json": leaves.swap,
    "token_tree.json": trees.tokens,
    "tos.json": signed_messages.terms,
    "transfer_leaf.json": leaves.transfer,
    "tx_set_growth.json": trees.transaction_set_growth,
    "tx_set_tree.json": trees.transaction_set,
    "zero_subtree_roots.json": scalars.zero_subtree,
}


class UnknownFamily(ProtocolError):
    """No family of vectors has this file name."""


class VectorMismatch(ProtocolError):
    """A case differs from what the protocol computes; names file, case and field."""


class CheckedCase(NamedTuple):
    """A case with its recomputed values."""

    number: int
    expected: Json
    computed: Computed


class FileReport(NamedTuple):
    """What was checked in one file: its cases, and recorded values set aside by name."""

    name: str
    cases: int
    set_aside: int


def recompute(name: str, documents: Documents) -> Iterator[CheckedCase]:
    """Recompute the cases of one file in order.

    Raises `UnknownFamily`, and `VectorMismatch` for inputs that have another shape than their
    family, are left unread or contradict each other.
    """
    return _recompute_cases(name, documents[name], _recompute_function(name, documents))


def check_file(name: str, documents: Documents) -> FileReport:
    """Check every expected value of one file. Raises as `recompute`, and at the first that
    differs, is missing or is not recomputed."""
    count = set_aside = 0
    for case in recompute(name, documents):
        for difference in differences(case.expected, case.computed):
            raise VectorMismatch(f"{name}: case {case.number}: {difference}")
        count += 1
        set_aside += count_set_aside(case.computed)
    if not count:
        raise VectorMismatch(f"{name}: no cases")
    return FileReport(name, count, set_aside)


def _recompute_function(name: str, documents: Documents) -> Recompute:
    if name == "calldata.json":
        return Calls()
    if name == "scenario.json":
        return Replay()
    if name == "swap_states.json":
        if "scenario.json" not in documents:
            raise VectorMismatch(f"{name}: needs scenario.json, the run that it was taken from")
        replay = Replay()
        # Only the books after the last case matter here, not the cases' values.
        deque(_recompute_cases("scenario.json", documents["scenario.json"], replay), maxlen=0)
        return SwapStates(replay)
    if name not in _FAMILIES:
        raise UnknownFamily(f"{name}: unknown family of vectors")
    return _FAMILIES[name]


def _recompute_cases(name: str, document: Json, function: Recompute) -> Iterator[CheckedCase]:
    for number, case in enumerate(_cases(name, document)):
        if not isinstance(case, dict) or case.keys() != {"inputs", "expected"}:
            raise VectorMismatch(f"{name}: case {number}: not an object of inputs and expected")
        try:
            inputs = Inputs(case["inputs"])
            computed = function(inputs)
        except InvalidVector as error:
            raise VectorMismatch(f"{name}: case {number}: {error}") from error
        except (ProtocolError, ValueError, LookupError) as error:
            raise VectorMismatch(f"{name}: case {number}: inputs: {error}") from error
        for field in inputs.unread():
            raise VectorMismatch(f"{name}: case {number}: {field}: nothing reads this input")
        yield CheckedCase(number, case["expected"], computed)


def _cases(name: str, document: Json) -> list[Json]:
    cases = document.get("cases") if isinstance(document, dict) else None
    if not isinstance(cases, list):
        raise VectorMismatch(f"{name}: no list of cases")
    return cases
