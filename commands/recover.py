"""`nocust-operator recover FILE`: a holder's money, from the file alone. Needs no operator."""

from __future__ import annotations

from pathlib import Path

import click

from protocol.address import checksum_address
from protocol.signing import InvalidPrivateKey, Signer, parse_private_key
from wallet.errors import WalletError
from wallet.recovery import RecoveryFile
from wallet.recovery import recover as send


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--node-url", required=True, help="JSON-RPC end point of the chain's node.")
@click.option(
    "--key-file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Holds the key of whoever pays the gas; asked for when absent.",
)
def recover(file: Path, node_url: str, key_file: Path | None) -> None:
    """Have a halted contract pay the holder that FILE names; any account may pay the gas."""
    text = key_file.read_text() if key_file else click.prompt("private key", hide_input=True)
    try:
        key = parse_private_key(text.strip())
        Signer(key)
    except InvalidPrivateKey:
        raise click.ClickException("that is not a private key of 64 hex digits") from None
    try:
        claim = RecoveryFile.read(file)
        mined = send(claim, node_url, key)
    except WalletError as error:
        raise click.ClickException(str(error)) from None
    click.echo(
        f"{checksum_address(claim.holder)} was paid by transaction "
        f"0x{mined.transaction_hash.hex()} in block {mined.block}"
    )
