"""Tokens, their registration, and the commit-chain's first start."""

from dataclasses import dataclass

from duties.calendar import Calendar


@dataclass(frozen=True)
class TokenTerms:
    """A token to register; `address` is 40 hex digits in the letter case to keep."""

    address: str
    name: str
    short_name: str


@dataclass(frozen=True)
class RegistrationStart:
    """The token to register on chain and in the ledger."""

    token: TokenTerms
    calendar: Calendar


@dataclass(frozen=True)
class OpenRegistration:
    """Ask for the intent that registers a token; a new `revision` after one failed."""

    token: TokenTerms
    revision: int


@dataclass(frozen=True)
class Registered:
    """A token's place in the checkpoint's order of tokens."""

    address: str
    trail: int


@dataclass(frozen=True)
class PairTerms:
    """Both directions of trade between two tokens, 40 hex digits each."""

    first: str
    second: str


@dataclass(frozen=True)
class Adoption:
    """What the process start agreed with the contract; `sla_token` still has to be registered."""

    calendar: Calendar
    edition: str
    contract: str
    sla_token: TokenTerms
