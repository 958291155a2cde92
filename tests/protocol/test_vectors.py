"""The recorded vectors agree with the protocol, and the checker misses nothing in them."""

import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from protocol.vectors.checker import (
    SET_ASIDE_FILES,
    CheckedCase,
    VectorMismatch,
    check_file,
    recompute,
)
from protocol.vectors.comparison import (
    Computed,
    EitherOf,
    IfThere,
    Joined,
    Json,
    SetAside,
    differences,
)

FOLDER = Path(__file__).parent.parent / "vectors"
FILES = sorted(path.name for path in FOLDER.glob("*.json") if path.name not in SET_ASIDE_FILES)


@cache
def documents() -> dict[str, Json]:
    return {path.name: json.loads(path.read_text()) for path in FOLDER.glob("*.json")}


@pytest.mark.parametrize("name", FILES)
def test_recorded_values_are_what_the_protocol_computes(name: str) -> None:
    assert check_file(name, documents()).cases > 0


@pytest.mark.parametrize("name", FILES)
def test_every_expected_value_altered_alone_is_caught(name: str) -> None:
    altered = 0
    for case in recompute(name, documents()):
        for place in alterations(case.expected, case.computed):
            assert any(differences(case.expected, case.computed)), (name, case.number, place)
            altered += 1
        assert not any(differences(case.expected, case.computed))
    # Deposits and the like expect nothing, so a file may have more cases than values.
    assert altered > len(list(recompute(name, documents()))) / 2


@pytest.mark.parametrize("name", FILES)
def test_an_expected_value_that_nothing_recomputes_is_caught(name: str) -> None:
    for case in recompute(name, documents()):
        for inner in objects(case.expected):
            inner["surplus"] = "1"
            assert any("nothing recomputes" in text for text in case_differences(case))
            del inner["surplus"]


@pytest.mark.parametrize("name", FILES)
def test_every_missing_expected_value_is_caught(name: str) -> None:
    # Large sets list their proofs by index, as many as their recorder liked.
    by_index = {str(index) for index in range(1000)}
    for case in recompute(name, documents()):
        for record in objects(case.expected):
            for field in [field for field in record if field not in by_index]:
                value = record.pop(field)
                assert any(case_differences(case)), (name, case.number, field)
                record[field] = value


def test_only_values_under_a_passive_root_are_set_aside_in_the_recorded_run() -> None:
    fields = set()
    for case in recompute("scenario.json", documents()):
        fields |= set(set_aside_fields(case.computed))
    assert fields == {
        "allotment_chain",
        "membership_chain",
        "membership_hashes",
        "merkle_proof_hashes",
        "merkle_root",
        "passive_checksum",
    }


@pytest.mark.parametrize(
    ("name", "document", "complaint"),
    [
        ("conduit.json", {"cases": []}, "no cases"),
        ("surprise.json", {"cases": [{"inputs": {}, "expected": {}}]}, "unknown family"),
        ("conduit.json", {"cases": [{"inputs": {}, "expected": {}}]}, "inputs.sell_token: missing"),
        (
            "zero_subtree_roots.json",
            {"cases": [{"inputs": {"height": 0, "x": 1}, "expected": {}}]},
            "inputs.x: nothing reads this input",
        ),
    ],
)
def test_a_file_without_cases_of_unknown_family_or_with_odd_inputs_is_refused(
    name: str, document: Json, complaint: str
) -> None:
    with pytest.raises(Exception, match=complaint):
        check_file(name, {name: document})


def test_a_mismatch_names_file_case_and_field() -> None:
    document = json.loads(json.dumps(documents()["conduit.json"]))
    document["cases"][3]["expected"]["conduit"] = "00" * 20
    with pytest.raises(VectorMismatch, match=r"conduit\.json: case 3: expected\.conduit: "):
        check_file("conduit.json", {"conduit.json": document})


def case_differences(case: CheckedCase) -> Iterator[str]:
    return differences(case.expected, case.computed)


def alterations(expected: Json, computed: Computed, path: str = "") -> Iterator[str]:
    """Alter each value in place, one at a time, yield where, and put it back."""
    computed = unwrap(expected, computed)
    if not isinstance(expected, dict | list):
        return
    keys = expected.keys() if isinstance(expected, dict) else range(len(expected))
    for key in list(keys):
        value = expected[key]  # type: ignore[index,call-overload]
        inner = unwrap(value, computed[key])  # type: ignore[index,call-overload]
        for other in altered(value, inner):
            expected[key] = other  # type: ignore[index,call-overload]
            yield f"{path}.{key}"
            expected[key] = value  # type: ignore[index,call-overload]
        yield from alterations(value, inner, f"{path}.{key}")


def altered(value: Json, computed: Computed) -> Iterator[Json]:
    if isinstance(computed, SetAside):
        return
    if isinstance(computed, Joined):
        for place, part in enumerate(computed.parts):
            if isinstance(part, str):
                yield str(value)[: 64 * place] + flip(part) + str(value)[64 * (place + 1) :]
        yield f"{value}00"
    elif isinstance(value, bool):
        yield not value
    elif isinstance(value, int):
        yield value + 1
    elif isinstance(value, str):
        yield flip(value)
    elif value is None:
        yield ""
    elif isinstance(value, list):
        yield [*value, None]


def flip(text: str) -> str:
    """Change the last character, or make an empty text another."""
    return text[:-1] + ("1" if text[-1:] == "0" else "0") if text else "0"


def unwrap(expected: Json, computed: Computed) -> Computed:
    while isinstance(computed, IfThere | EitherOf):
        if isinstance(computed, IfThere):
            computed = computed.value
        else:
            fits = not any(differences(expected, computed.first))
            computed = computed.first if fits else computed.second
    return computed


def objects(value: Json) -> Iterator[dict[str, Json]]:
    if isinstance(value, dict):
        yield value
    if isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from objects(inner)


def set_aside_fields(computed: Computed, field: str = "") -> Iterator[str]:
    if isinstance(computed, SetAside):
        yield field
    elif isinstance(computed, Joined):
        if any(isinstance(part, SetAside) for part in computed.parts):
            yield field
    elif isinstance(computed, list):
        for inner in computed:
            yield from set_aside_fields(inner, field)
    elif isinstance(computed, dict):
        for name, inner in computed.items():
            yield from set_aside_fields(inner, name)
