"""The node, the clock, the contract and the funds, as they are at the head."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Final

from chain.errors import ChainError, ContractMissing, ProofOfAuthorityFlagMissing, WrongChain
from chain.fuel import reserve
from chain.gas import read_fee_market
from chain.gateway import ContractGateway
from chain.node import Node
from chain.parameters import ContractParameters
from commands.examinations.finding import Finding, fail, ok, warn
from commands.policy import fee_policy
from protocol.address import Address
from protocol.public_accounts import is_usable
from settings import Settings

OLD_HEAD_S: Final = 300
FUTURE_HEAD_S: Final = 15
SUBMISSION_MARGIN_BLOCKS: Final = 5


def node_of(settings: Settings) -> Node:
    """The configured node; the embedded one where none is."""
    url = (
        settings.node_url.reveal()
        if settings.node_url is not None
        else f"http://127.0.0.1:{settings.node_port}"
    )
    return _node(settings, url)


def _node(settings: Settings, url: str) -> Node:
    return Node(
        url,
        chain_id=settings.chain_id,
        is_proof_of_authority=settings.node_is_poa,
        timeout_s=settings.block_fetch_timeout.total_seconds(),
    )


def examine_node(settings: Settings) -> Sequence[Finding]:
    """Reachable, of the right chain, not syncing, with the right flag, and in step with us."""
    node = node_of(settings)
    try:
        chain_id, head = node.require_chain(), node.head()
        syncing = bool(node.w3.eth.syncing)
    except WrongChain as error:
        return [fail("node", str(error), "point HUB_ETHEREUM_NODE_URL at the right chain")]
    except ProofOfAuthorityFlagMissing as error:
        return [fail("node", str(error), "set HUB_ETHEREUM_NETWORK_IS_POA=true")]
    except ChainError as error:
        return [fail("node", str(error), "see docs/runbooks/node-unreachable.md")]
    found = [ok("node", f"chain {chain_id}, block {head.number}")]
    if syncing:
        found.append(fail("node", "it is still syncing", "wait, or use another node"))
    if settings.chain_id is None:
        advice = f"set HUB_ETHEREUM_CHAIN_ID={chain_id}"
        found.append(warn("node", "any chain would be accepted", advice))
    found.append(_clock(int(time.time()) - head.timestamp_s))
    return [*found, *(_fallback(settings, one.reveal()) for one in settings.fallback_node_urls)]


def _fallback(settings: Settings, url: str) -> Finding:
    """Whether a node could stand in for the first."""
    node = _node(settings, url)
    try:
        node.require_chain()
        head = node.head()
    except ChainError as error:
        advice = "bring it back, or take it out of HUB_ETHEREUM_FALLBACK_NODE_URLS"
        return warn("fallback node", str(error), advice)
    return ok("fallback node", f"block {head.number}")


def _clock(age_s: int) -> Finding:
    """The newest block's time beside ours."""
    if age_s < -FUTURE_HEAD_S:
        return fail("clock", f"the newest block is {-age_s} s ahead of us", "set the clock (NTP)")
    if age_s > OLD_HEAD_S:
        advice = "see whether the node follows the chain, and whether our clock is right"
        return warn("clock", f"the newest block is {age_s} s old", advice)
    return ok("clock", f"the newest block is {age_s} s old")


def examine_contract(settings: Settings) -> Sequence[Finding]:
    """The contract is there, ours, of an accepted edition, and its eons are long enough."""
    node = node_of(settings)
    try:
        found = ContractGateway(node, settings.contract_address).parameters()
    except ContractMissing as error:
        return [fail("contract", str(error), "check HUB_LQD_CONTRACT_ADDRESS and the chain")]
    except ChainError as error:
        return [fail("contract", str(error), "bring the node back first")]
    problems = _judge(settings, found)
    if problems:
        return problems
    message = f"{found.edition.value}, {found.blocks_per_eon} blocks an eon"
    return [ok("contract", message)]


def _judge(settings: Settings, found: ContractParameters) -> list[Finding]:
    problems = []
    if found.operator != settings.owner_address:
        message = f"its operator is 0x{found.operator.hex()}"
        problems.append(fail("contract", message, "use that account's key, or the right contract"))
    if not is_usable(found.operator, found.chain_id):
        message = f"everybody knows its operator's key, on chain {found.chain_id}"
        problems.append(fail("contract", message, "deploy another with a key of your own"))
    if found.edition.needs_acceptance and not settings.accept_published_contract:
        message = f"the edition {found.edition.value} has known hazards"
        problems.append(fail("contract", message, "see HUB_ACCEPT_PUBLISHED_CONTRACT"))
    needed = 2 * settings.confirmations + SUBMISSION_MARGIN_BLOCKS
    if needed >= found.blocks_per_eon // 4:
        message = (
            f"{needed} blocks to a checkpoint do not fit an epoch of {found.blocks_per_eon // 4}"
        )
        problems.append(fail("contract", message, "lower HUB_LQD_CONTRACT_CONFIRMATIONS"))
    return problems


def examine_funds(settings: Settings) -> Sequence[Finding]:
    """Ether for a checkpoint and ten answers at the fees of the moment, and for peace of mind."""
    node = node_of(settings)
    try:
        balance = node.balance(settings.owner_address)
        needed = reserve(read_fee_market(node), fee_policy(settings))
    except ChainError as error:
        return [fail("funds", str(error), "bring the node back first")]
    return [judge_funds(settings.owner_address, balance, needed, settings)]


def judge_funds(account: Address, balance: int, needed: int, settings: Settings) -> Finding:
    """Hold a balance against what duties may cost and against the person's own threshold, wei."""
    advice = f"send ether to 0x{account.hex()}"
    if balance < needed:
        return fail("funds", f"{balance} wei; a checkpoint and answers need {needed}", advice)
    threshold = settings.owner_balance_threshold_wei
    if balance < threshold:
        return warn("funds", f"{balance} wei are below OWNER_BALANCE_THRESHOLD", advice)
    return ok("funds", f"{balance} wei")
