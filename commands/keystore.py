"""`nocust-operator keystore`: the operator's key in an encrypted file."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Final

import click
from eth_account import Account

from key_settings import KeystoreLocked, open_keystore
from protocol.address import checksum_address
from protocol.signing import InvalidPrivateKey, Signer, parse_private_key

SHORTEST_PASSWORD: Final = 12

_file = click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
_password_file = click.option(
    "--password-file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Holds the password; asked for when absent.",
)


@click.group()
def keystore() -> None:
    """Encrypted key files (Web3 Secret Storage, version 3), as HUB_OWNER_KEYSTORE_FILE names one.

    Neither key nor password is ever an argument: other people of a machine see those.
    """


@keystore.command()
@_file
@_password_file
def new(file: Path, password_file: Path | None) -> None:
    """Make a new key and keep it in FILE, which must not exist."""
    _write(file, bytes(Account.create().key), _new_password(password_file))


@keystore.command("import")
@_file
@_password_file
@click.option(
    "--key-file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Holds the key, 64 hex digits; asked for when absent.",
)
def import_key(file: Path, password_file: Path | None, key_file: Path | None) -> None:
    """Keep an existing key in FILE, which must not exist."""
    text = key_file.read_text() if key_file else click.prompt("private key", hide_input=True)
    try:
        key = parse_private_key(text.strip())
        Signer(key)
    except InvalidPrivateKey:
        raise click.ClickException("that is not a private key of 64 hex digits") from None
    _write(file, key, _new_password(password_file))


@keystore.command("show-address")
@_file
@_password_file
def show_address(file: Path, password_file: Path | None) -> None:
    """Open FILE and print its account: proof that the password is right."""
    password = (
        _read_password(password_file)
        if password_file
        else click.prompt("password", hide_input=True)
    )
    try:
        key = open_keystore(file.read_text(), password)
    except OSError as error:
        raise click.ClickException(f"{file}: {error.strerror}") from None
    except KeystoreLocked as error:
        raise click.ClickException(f"{file}: {error}") from None
    click.echo(checksum_address(Signer(bytes.fromhex(key.reveal())).address))


def _new_password(password_file: Path | None) -> str:
    password: str = (
        _read_password(password_file)
        if password_file
        else click.prompt("new password", hide_input=True, confirmation_prompt=True)
    )
    if len(password) < SHORTEST_PASSWORD:
        raise click.ClickException(f"a password has at least {SHORTEST_PASSWORD} characters")
    return password


def _read_password(path: Path) -> str:
    return path.read_text().strip("\r\n")


def _write(file: Path, key: bytes, password: str) -> None:
    """Write the encrypted key for the owner's eyes only, and never over another one."""
    document = json.dumps(Account.encrypt(key, password))
    try:
        handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise click.ClickException(f"{file}: {error.strerror}") from None
    with os.fdopen(handle, "w") as stream:
        stream.write(document + "\n")
        stream.flush()
        os.fsync(stream.fileno())
    click.echo(f"{file} holds the key of {checksum_address(Signer(key).address)}")
