"""`nocust-operator deploy-contract`: puts a new commit-chain on any node."""

from datetime import UTC, datetime, timedelta

import click
from click.core import ParameterSource
from web3 import Web3
from web3.exceptions import Web3Exception
from web3.middleware import ExtraDataToPOAMiddleware

from contracts.deployment import DeployedContract, deploy_commit_chain
from contracts.sending import DeploymentError
from protocol.address import InvalidAddress, parse_address
from protocol.signing import InvalidPrivateKey, Signer, parse_private_key

KEY_VARIABLE = "HUB_OWNER_ACCOUNT_KEY"
BLOCKS_FOR_PACE = 50
"""Blocks whose timestamps tell how fast the chain runs."""


def _read_key(ctx: click.Context, parameter: click.Parameter, text: str | None) -> bytes:
    """The operator's key, if it came by the environment; the message never repeats it."""
    if not text:
        raise click.UsageError(f"set {KEY_VARIABLE} to the operator's private key, 64 hex digits")
    if ctx.get_parameter_source(str(parameter.name)) is not ParameterSource.ENVIRONMENT:
        raise click.UsageError(f"the key is taken from {KEY_VARIABLE}, never from arguments")
    try:
        return parse_private_key(text)
    except InvalidPrivateKey:
        raise click.UsageError(f"{KEY_VARIABLE} is not a private key of 64 hex digits") from None


@click.command("deploy-contract")
@click.option("--node-url", required=True, help="JSON-RPC end point of the chain's node.")
@click.option("--blocks-per-eon", required=True, type=int, help="Length of an eon; fixed for ever.")
@click.option(
    "--confirmations",
    default=20,
    show_default=True,
    type=int,
    envvar="HUB_LQD_CONTRACT_CONFIRMATIONS",
    show_envvar=True,
    help="Depth at which the operator will trust a block.",
)
@click.option("--owner", help="Address that the key has to belong to.")
@click.option("--key", envvar=KEY_VARIABLE, callback=_read_key, hidden=True)
def deploy_contract(
    node_url: str, blocks_per_eon: int, confirmations: int, owner: str | None, key: bytes
) -> None:
    """Deploy the commit-chain with its libraries.

    The deploying account, whose private key is read from HUB_OWNER_ACCOUNT_KEY, becomes the
    operator for good. The first checkpoint is due in the first eon: start the operator at once.
    """
    _require_owner(owner, key)
    w3 = Web3(Web3.HTTPProvider(node_url))
    w3.middleware_onion.inject(ExtraDataToPOAMiddleware, layer=0)
    if not w3.is_connected():
        raise click.ClickException("the node does not answer")
    try:
        deployed = deploy_commit_chain(
            w3, key, blocks_per_eon=blocks_per_eon, confirmations=confirmations
        )
    except (DeploymentError, Web3Exception) as error:
        raise click.ClickException(str(error)) from error
    _report(w3, deployed, blocks_per_eon)


def _require_owner(owner: str | None, key: bytes) -> None:
    """Raises UsageError if a stated owner is no address or not the key's."""
    if owner is None:
        return
    try:
        stated = parse_address(owner)
    except InvalidAddress:
        raise click.UsageError(f"{owner} is not an address") from None
    if Signer(key).address != stated:
        raise click.UsageError(f"the key does not belong to {owner}")


def _report(w3: Web3, deployed: DeployedContract, blocks_per_eon: int) -> None:
    """What the operator's settings and its watch need to know."""
    last_block = deployed.genesis_block + blocks_per_eon - 1
    facts = {
        "chain id": w3.eth.chain_id,
        "commit-chain": Web3.to_checksum_address(deployed.address),
        "genesis block": deployed.genesis_block,
        "blocks per eon": blocks_per_eon,
        "slack period": f"{blocks_per_eon // 4} blocks",
        "extended slack period": f"{blocks_per_eon // 3} blocks",
        **{
            f"library {name}": Web3.to_checksum_address(address)
            for name, address in deployed.libraries.items()
        },
        "gas used": deployed.gas_used,
        "first checkpoint": f"on chain by block {last_block}, {_estimate(w3, last_block)},"
        " or the commit-chain halts for ever",
    }
    for name, fact in facts.items():
        click.echo(f"{name + ':':24}{fact}")


def _estimate(w3: Web3, block: int) -> str:
    """About when `block` will be mined, at the pace of the newest blocks."""
    newest = w3.eth.get_block("latest")
    older = w3.eth.get_block(max(0, newest["number"] - BLOCKS_FOR_PACE))
    blocks = newest["number"] - older["number"]
    if blocks == 0:
        return "at an unknown time"
    pace_s = (newest["timestamp"] - older["timestamp"]) / blocks
    due = datetime.fromtimestamp(newest["timestamp"], UTC)
    due += timedelta(seconds=pace_s * (block - newest["number"]))
    return f"about {due:%Y-%m-%d %H:%M} UTC"
