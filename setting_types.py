"""The types of settings: how a variable's text becomes a value, and secrets that do not show.

A parser takes the text and raises `ValueError` with the form that it expects; the text itself is
never part of a message, since it may be a secret.
"""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal, InvalidOperation
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import TypeAlias

from protocol.address import Address, parse_checksummed_address
from protocol.signing import Signer

LONGEST_DURATION_S = 86_400
Network: TypeAlias = IPv4Network | IPv6Network

# Variables of older deployments that protect or do nothing any more: named in a warning at start.
SUPERSEDED_NAMES = (
    "CACHE_REDIS_HOST",
    "CACHE_REDIS_PORT",
    "DISABLE_REGISTRATION_THROTTLE",
    "DISABLE_REGISTRATION_VERIFICATION",
    "GOOGLE_RECAPTCHA_SECRET_KEY",
    "HUB_TRANSFER_TIMEOUT_SECONDS",
    "REGISTRATION_THROTTLE_LIMIT_PER_DAY",
    "RUN_STARTUP_TASKS",
    "SILKY_MAX_RECORDED_REQUESTS_CHECK_PERCENT",
    "SILKY_MAX_REQUEST_BODY_SIZE",
    "SILKY_MAX_RESPONSE_BODY_SIZE",
)


class SettingsError(ValueError):
    """One or more variables are missing or malformed; `problems` holds one line for each."""

    def __init__(self, problems: list[str]) -> None:
        self.problems = problems
        super().__init__("configuration: " + "; ".join(problems))


class Secret:
    """A text that is shown only when asked for: `repr`, `str`, logs and pickles never hold it."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """Return the text itself; keep the result out of anything that is printed or stored."""
        return self._text

    def __repr__(self) -> str:
        return "Secret(***)"

    __str__ = __repr__

    def __reduce__(self) -> str:
        raise TypeError("a secret is not serialised")


def boolean(text: str) -> bool:
    """Accept true/1/yes/on and false/0/no/off in any letter case."""
    if text.lower() in {"true", "1", "yes", "on"}:
        return True
    if text.lower() in {"false", "0", "no", "off"}:
        return False
    raise ValueError("true or false")


def integer(low: int, high: int | None = None) -> Callable[[str], int]:
    """Accept a decimal whole number within [low, high]."""
    expected = f"a whole number of at least {low}"
    if high is not None:
        expected += f" and at most {high}"

    def parse(text: str) -> int:
        if not (text.isascii() and text.isdigit() and len(text) <= 78):
            raise ValueError(expected)
        value = int(text)
        if value < low or (high is not None and value > high):
            raise ValueError(expected)
        return value

    return parse


def scaled(unit: int, name: str) -> Callable[[str], int]:
    """Accept an amount in `name` (of `unit` wei each), fractions allowed; the value is in wei."""

    def parse(text: str) -> int:
        try:
            value = Decimal(text) * unit
        except InvalidOperation as error:
            raise ValueError(f"an amount in {name}") from error
        if not value.is_finite() or not 0 <= value < 2**256 or value != int(value):
            raise ValueError(f"an amount in {name}")
        return int(value)

    return parse


def seconds(text: str) -> timedelta:
    """Accept a duration above 0 and of at most a day, in seconds, to the millisecond."""
    expected = f"a number of seconds above 0 and at most {LONGEST_DURATION_S}"
    try:
        value = Decimal(text)
    except InvalidOperation as error:
        raise ValueError(expected) from error
    if not value.is_finite() or not Decimal("0.001") <= value <= LONGEST_DURATION_S:
        raise ValueError(expected)
    return timedelta(milliseconds=int(value * 1000))


def days(text: str) -> timedelta:
    """Accept whole days, at most a year."""
    return timedelta(days=integer(0, 366)(text))


def words(text: str) -> tuple[str, ...]:
    """Accept a list separated by commas."""
    return tuple(word.strip() for word in text.split(",") if word.strip())


def words_of(known: frozenset[str]) -> Callable[[str], tuple[str, ...]]:
    """Accept a list, separated by commas, of words that are known."""

    def parse(text: str) -> tuple[str, ...]:
        found = words(text)
        if not known.issuperset(found):
            raise ValueError("a list of known names, separated by commas")
        return found

    return parse


def networks(text: str) -> tuple[Network, ...]:
    """Accept IP addresses and networks (`10.0.0.0/8`) separated by commas."""
    try:
        return tuple(ip_network(word) for word in words(text))
    except ValueError as error:
        raise ValueError("IP addresses or networks separated by commas") from error


def one_of(*allowed: str) -> Callable[[str], str]:
    """Accept one of the lower-case words `allowed`."""

    def parse(text: str) -> str:
        if text.lower() not in allowed:
            raise ValueError("one of " + ", ".join(allowed))
        return text.lower()

    return parse


def address(text: str) -> Address:
    """Accept 40 hex digits, `0x` or not; mixed case must carry the right checksum."""
    try:
        return parse_checksummed_address(text)
    except ValueError as error:
        raise ValueError("an address of 40 hex digits, checksummed if of mixed case") from error


def private_key(text: str) -> Secret:
    """Accept 64 hex digits, `0x` or not, within the curve's order; kept without `0x`."""
    digits = text.removeprefix("0x").lower()
    expected = "a private key of 64 hex digits"
    if len(digits) != 64:
        raise ValueError(expected)
    try:
        Signer(bytes.fromhex(digits))
    except ValueError:
        # Not chained: the cause's message could hold the digits.
        raise ValueError(expected) from None
    return Secret(digits)


def url(*schemes: str) -> Callable[[str], str]:
    """Accept a URL of one of `schemes`."""

    def parse(text: str) -> str:
        if not text.startswith(tuple(f"{scheme}://" for scheme in schemes)):
            raise ValueError("a URL that starts with " + " or ".join(f"{s}://" for s in schemes))
        return text

    return parse


def secret_url(*schemes: str) -> Callable[[str], Secret]:
    """Accept a URL that may hold a password or a provider's key."""
    parse = url(*schemes)
    return lambda text: Secret(parse(text))


def secret_urls(*schemes: str) -> Callable[[str], tuple[Secret, ...]]:
    """Accept URLs that may hold a key, with commas between them."""
    parse = secret_url(*schemes)
    return lambda text: tuple(parse(word) for word in words(text))


def database_url(text: str) -> Secret:
    """Accept a PostgreSQL URL; kept with the driver's name, `postgresql+psycopg2://`."""
    url("postgresql+psycopg2", "postgresql", "postgres")(text)
    return Secret("postgresql+psycopg2://" + text.split("://", 1)[1])


def mail_address(text: str) -> str:
    """Accept one bare mail address."""
    name, _, domain = text.rpartition("@")
    if not name or not domain or not text.isascii() or any(sign in text for sign in " ,;<>\t\r\n"):
        raise ValueError("a mail address such as name@example.org")
    return text


def mail_addresses(text: str) -> tuple[str, ...]:
    """Accept mail addresses with commas between them."""
    return tuple(mail_address(one.strip()) for one in text.split(",") if one.strip())
