"""Where the operator's key is: in the environment, a file, an encrypted keystore, or elsewhere.

One place only. The key must be the owner's, and none that everybody knows except on a development
chain. Messages name variables and never hold what stands in them.
"""

import json
from pathlib import Path
from typing import Any, Final

from eth_account import Account

from protocol.address import Address
from protocol.public_accounts import DEVELOPMENT_CHAINS, PUBLIC_ACCOUNTS
from protocol.signing import Signer
from setting_types import Secret, private_key

KEY: Final = "HUB_OWNER_ACCOUNT_KEY"
KEYSTORE: Final = "HUB_OWNER_KEYSTORE_FILE"
PASSWORD: Final = "HUB_OWNER_KEYSTORE_PASSWORD"
SIGNER: Final = "HUB_REMOTE_SIGNER_URL"
# Values by field of the settings, in the order in which a message names them.
PLACES: Final = {
    "owner_key": KEY,
    "owner_key_file": f"{KEY}_FILE",
    "owner_keystore_file": KEYSTORE,
    "remote_signer_url": SIGNER,
}
LARGEST_KEYSTORE_BYTES: Final = 65_536


class KeystoreLocked(ValueError):
    """The file is no keystore, or the password does not open it."""


def complete_owner_key(
    values: dict[str, Any], *, signs: bool, development: tuple[Address, str]
) -> list[str]:
    """Find the owner's key and put it into `values`; returns the rules that are broken.

    A process that does not sign opens no keystore. `development` is the account, and its key, of a
    chain without value.
    """
    owner, (public_owner, public_key) = values["owner_address"], development
    problems = _refuse_public_accounts(values)
    places = [name for field, name in PLACES.items() if values[field] is not None]
    if len(places) > 1:
        return [*problems, f"{' and '.join(places)}: the key has one place only"]
    if problems or values["remote_signer_url"] is not None:
        return problems
    if values["owner_keystore_file"] is not None and not signs:
        return []
    if not places and owner == public_owner:
        values["owner_key"] = Secret(public_key)
    try:
        values["owner_key"] = values["owner_key"] or _read_key(values)
    except _Unreadable as problem:
        return [str(problem)]
    if values["owner_key"] is None:
        return [f"{KEY} is not set"] if signs else []
    if Signer(bytes.fromhex(values["owner_key"].reveal())).address != owner:
        return [f"{places[0] if places else KEY} must hold the key of HUB_OWNER_ACCOUNT_ADDRESS"]
    return []


def open_keystore(text: str, password: str) -> Secret:
    """Decrypt a key in the Web3 Secret Storage format, version 3. Raises `KeystoreLocked`."""
    try:
        key = Account.decrypt(json.loads(text), password)
        return private_key(bytes(key).hex())
    except Exception:  # noqa: BLE001 the decoders raise whatever they meet in a foreign file
        # Not chained: what was decrypted so far could show.
        raise KeystoreLocked("no keystore that this password opens") from None


class _Unreadable(ValueError):
    """A file that was named cannot be used; the message names its variable."""


def _read_key(values: dict[str, Any]) -> Secret | None:
    """The key from the file or keystore that is named, None if none is."""
    if values["owner_key_file"] is not None:
        try:
            return private_key(_read(values["owner_key_file"]))
        except ValueError:
            raise _Unreadable(
                f"{KEY}_FILE must name a readable file with a private key of 64 hex digits"
            ) from None
    if values["owner_keystore_file"] is None:
        return None
    try:
        text, password = _read(values["owner_keystore_file"]), _password(values)
        return open_keystore(text, password)
    except KeystoreLocked:
        raise _Unreadable(f"{PASSWORD} does not open {KEYSTORE}, or that is no keystore") from None
    except _Unreadable:
        raise
    except ValueError:
        raise _Unreadable(f"{KEYSTORE} must name a readable file") from None


def _password(values: dict[str, Any]) -> str:
    given, path = values["owner_keystore_password"], values["owner_keystore_password_file"]
    if (given is None) == (path is None):
        raise _Unreadable(f"{KEYSTORE} needs one of {PASSWORD} and {PASSWORD}_FILE")
    if given is not None:
        revealed: str = given.reveal()
        return revealed
    try:
        values["owner_keystore_password"] = Secret(_read(path))
    except ValueError:
        raise _Unreadable(f"{PASSWORD}_FILE must name a readable file") from None
    return _password(values | {"owner_keystore_password_file": None})


def _read(path: Path) -> str:
    """A small text file without its last newline. Raises `ValueError`."""
    try:
        if path.stat().st_size > LARGEST_KEYSTORE_BYTES:
            raise ValueError("too large")
        return path.read_text().strip("\r\n")
    except OSError as error:
        raise ValueError(type(error).__name__) from None


def _refuse_public_accounts(values: dict[str, Any]) -> list[str]:
    """The node's own chain id is judged at bootstrap, when it is known."""
    is_development = values["chain_id"] in {None, *DEVELOPMENT_CHAINS}
    if is_development and not values["production"]:
        return []
    return [
        f"{name} must not be an account whose key everybody knows"
        for name, account in (
            ("HUB_OWNER_ACCOUNT_ADDRESS", values["owner_address"]),
            ("SLA_RECIPIENT_ADDRESS", values["sla_recipient_address"]),
        )
        if account in PUBLIC_ACCOUNTS
    ]
