"""What an examination found: one line, and what to do about it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

from settings import Settings


class Verdict(StrEnum):
    """How bad it is: `fail` stops the operator or will cost the chain."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class Finding:
    """`what` was examined, what was found, and the `advice`, empty where all is well."""

    what: str
    verdict: Verdict
    message: str
    advice: str = ""


Examination: TypeAlias = Callable[[Settings], Sequence[Finding]]


def ok(what: str, message: str) -> Finding:
    """All is well."""
    return Finding(what, Verdict.OK, message)


def warn(what: str, message: str, advice: str) -> Finding:
    """It works, and somebody should look."""
    return Finding(what, Verdict.WARN, message, advice)


def fail(what: str, message: str, advice: str) -> Finding:
    """It does not work, or will not much longer."""
    return Finding(what, Verdict.FAIL, message, advice)
