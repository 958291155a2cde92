"""An object of a request, read field by field; all bad fields are reported together."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeVar

from api.faults import FieldFaults, item

T = TypeVar("T")
_ABSENT: Final = object()


class FieldError(ValueError):
    """A field is malformed; `detail` is what hangs under its name in shape A."""

    def __init__(self, detail: Any) -> None:
        super().__init__(str(detail))
        self.detail = detail


def bad(code: str, message: str = "") -> FieldError:
    """A field with one error."""
    return FieldError([item(code, message)])


class Form:
    """The members of one object. `take` returns None for what is bad and remembers why."""

    def __init__(self, members: dict[str, Any]) -> None:
        self._members = members
        self.errors: dict[str, Any] = {}

    @classmethod
    def of(cls, value: Any) -> Form:
        """Read an object that is itself a field. Raises `FieldError`."""
        if not isinstance(value, dict):
            raise FieldError({"non_field_errors": [item("invalid", "not an object")]})
        return cls(value)

    def take(self, name: str, read: Callable[[Any], T]) -> T | None:
        """Read a required field with `read`, which raises `FieldError`."""
        value = self._members.get(name, _ABSENT)
        try:
            if value is _ABSENT:
                raise bad("required", "missing")
            if value is None:
                raise bad("null", "must not be null")
            return read(value)
        except FieldError as error:
            self.errors[name] = error.detail
            return None

    def add(self, name: str, code: str, message: str = "") -> None:
        """Report a field that is well-formed and yet wrong, unless it is reported already."""
        self.errors.setdefault(name, [item(code, message)])

    def require(self) -> None:
        """Raise shape A if a field is bad."""
        if self.errors:
            raise FieldFaults(self.errors)

    def close(self) -> None:
        """Raise `FieldError` if a field is bad, for an object that is itself a field."""
        if self.errors:
            raise FieldError(self.errors)
