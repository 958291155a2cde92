"""Statements that a connection plans once: planning is half of what a small batch costs."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Final
from weakref import WeakKeyDictionary

_PARAMETER: Final = re.compile(r"%\((\w+)\)s::(\w+(?:\[\])?)")


class Prepared:
    """A statement with parameters `%(name)s::type`, prepared on the server under `name`.

    `call` is the text to execute, alone or joined with others by semicolons.
    """

    def __init__(self, name: str, statement: str) -> None:
        types = dict(_PARAMETER.findall(statement))
        numbers = {parameter: place for place, parameter in enumerate(types, 1)}
        body = _PARAMETER.sub(lambda found: f"${numbers[found[1]]}", statement)
        signature = f"({', '.join(types.values())})" if types else ""
        arguments = f"({', '.join(f'%({parameter})s' for parameter in types)})" if types else ""
        self.preparation: Final = f"PREPARE {name} {signature} AS {body.strip()}"
        self.call: Final = f"EXECUTE {name} {arguments}"


class Preparations:
    """Prepares a set of statements once on each connection that comes along."""

    def __init__(self, statements: Sequence[Prepared]) -> None:
        self._script: Final = ";\n".join(statement.preparation for statement in statements)
        self._done: WeakKeyDictionary[Any, bool] = WeakKeyDictionary()

    def ensure(self, connection: Any, cursor: Any) -> None:
        """Prepare the statements unless the connection has them.

        Inside a transaction too: what is prepared stays so when it is rolled back. One that has
        failed already must be over.
        """
        if connection not in self._done:
            cursor.execute(self._script)
            self._done[connection] = True
