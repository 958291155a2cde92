"""Comparing what a vector expects with what the protocol computes, value by value."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"


class SetAside:
    """Stands where a recorded value is excluded from the check by name."""


SET_ASIDE = SetAside()


@dataclass(frozen=True, slots=True)
class IfThere:
    """A value that a recording may leave out."""

    value: "Computed"


@dataclass(frozen=True, slots=True)
class EitherOf:
    """A value recorded in one of two forms."""

    first: "Computed"
    second: "Computed"


@dataclass(frozen=True, slots=True)
class Joined:
    """A text of equally long parts of which some may be set aside (stored hash chains)."""

    parts: tuple["str | SetAside", ...]

    def matches(self, text: str) -> bool:
        """Tell whether the text has exactly these parts."""
        if not self.parts:
            return text == ""
        width, rest = divmod(len(text), len(self.parts))
        if rest or width != 64:
            return False
        return all(
            isinstance(part, SetAside) or text[64 * i : 64 * (i + 1)] == part
            for i, part in enumerate(self.parts)
        )


Computed: TypeAlias = (
    "bool | int | str | SetAside | Joined | IfThere | EitherOf | list[Computed] "
    "| dict[str, Computed] | None"
)
"""A recomputed value: JSON with places that are set aside, optional or of two forms."""


def differences(expected: Json, computed: Computed, field: str = "expected") -> Iterator[str]:
    """Name every difference by its field; an expected value without a computed one is one too."""
    if isinstance(computed, SetAside):
        return
    if isinstance(computed, IfThere):
        yield from differences(expected, computed.value, field)
    elif isinstance(computed, EitherOf):
        first = list(differences(expected, computed.first, field))
        second = list(differences(expected, computed.second, field))
        if first and second:
            # The form that the recording has differs in the deeper field.
            yield max(first[0], second[0], key=lambda text: len(text.split(":")[0]))
    elif isinstance(computed, Joined):
        if not isinstance(expected, str) or not computed.matches(expected):
            yield f"{field}: expected {_short(expected)}, computed other hashes"
    elif isinstance(expected, dict) and isinstance(computed, dict):
        yield from _differences_of_objects(expected, computed, field)
    elif isinstance(expected, list) and isinstance(computed, list):
        if len(expected) != len(computed):
            yield f"{field}: {len(expected)} entries, computed {len(computed)}"
        for position, (left, right) in enumerate(zip(expected, computed, strict=False)):
            yield from differences(left, right, f"{field}[{position}]")
    elif type(expected) is not type(computed) or expected != computed:
        yield f"{field}: expected {_short(expected)}, computed {_short(computed)}"


def _differences_of_objects(
    expected: dict[str, Json], computed: dict[str, Computed], field: str
) -> Iterator[str]:
    for name in expected.keys() - computed.keys():
        yield f"{field}.{name}: nothing recomputes this field"
    for name, value in computed.items():
        if name in expected:
            yield from differences(expected[name], value, f"{field}.{name}")
        elif not isinstance(value, IfThere):
            yield f"{field}.{name}: missing"


def count_set_aside(computed: Computed) -> int:
    """Count the places that a comparison leaves out."""
    if isinstance(computed, SetAside):
        return 1
    if isinstance(computed, Joined):
        return sum(isinstance(part, SetAside) for part in computed.parts)
    if isinstance(computed, dict):
        return sum(count_set_aside(value) for value in computed.values())
    if isinstance(computed, list):
        return sum(count_set_aside(value) for value in computed)
    return 0


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 200 else f"{text[:200]}..."
