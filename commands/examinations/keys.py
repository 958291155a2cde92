"""The key: there, the owner's, nobody else's."""

from __future__ import annotations

import stat
from collections.abc import Sequence

from commands.examinations.finding import Finding, fail, ok, warn
from commands.keys import owner_signers
from protocol.keccak import keccak256
from protocol.signing import SignerUnavailable, is_signed_by
from setting_types import SettingsError
from settings import Settings

WHAT = "key"
# Signed by nobody else for anything: it is the digest of no state, marker or admission.
_QUESTION = keccak256(b"nocust-operator doctor")


def examine_key(settings: Settings) -> Sequence[Finding]:
    """Have something harmless signed and see whether the account's key did it."""
    account = f"0x{settings.owner_address.hex()}"
    try:
        signature = owner_signers(settings).messages.sign(_QUESTION)
    except SettingsError:
        return [fail(WHAT, "this process has no key", "set one of the places of docs/keys.md")]
    except SignerUnavailable as error:
        return [fail(WHAT, str(error), "see docs/runbooks/signer-unavailable.md")]
    if not is_signed_by(_QUESTION, signature, settings.owner_address):
        return [fail(WHAT, f"it does not sign for {account}", "give it the key of that account")]
    found = [ok(WHAT, f"it signs for {account}")]
    for path in (settings.owner_key_file, settings.owner_keystore_password_file):
        if path is not None and path.stat().st_mode & (stat.S_IRGRP | stat.S_IROTH):
            found.append(warn(WHAT, f"others can read {path}", f"chmod 600 {path}"))
    if settings.owner_key_is_public:
        advice = "never on a chain with value; docs/keys.md makes a key of your own"
        found.append(warn(WHAT, "everybody knows this key", advice))
    return found
