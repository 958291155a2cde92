"""Composing the parts from the settings, for every process that works on the chain."""

from __future__ import annotations

from typing import Final

from activities.alarming_signer import AlarmingSigner
from activities.context import Context, Pace
from activities.telling.channel import Channel
from activities.telling.hook import Hook
from activities.telling.mail import Mail, MailServer
from activities.transaction_hook import HookAddress, TransactionHook
from chain.gateway import ContractGateway
from chain.node import Node
from commands.keys import AddressOnly, owner_signers
from commands.policy import fee_policy, ledger_policy
from duties.tokens import TokenTerms
from logs import Redaction
from models.engine import open_engine, open_sessions
from protocol.signing import Signer
from settings import Settings

SLA_TOKEN_NAME: Final = "LQD"


def compose(settings: Settings, *, signs: bool) -> Context:
    """The database, the contract and the operator's policy; with the key only if it `signs`."""
    engine = open_engine(
        settings.require_database_url(),
        application_name="nocust-worker",
        pool_size=settings.database_pool_size,
    )
    pace = Pace(
        poll_s=settings.sync_poll.total_seconds(),
        block_time_s=float(settings.block_time_s),
        batch_blocks=settings.sync_batch_blocks,
    )
    node = Node(
        settings.require_node_url(),
        chain_id=settings.chain_id,
        is_proof_of_authority=settings.node_is_poa,
        timeout_s=settings.block_fetch_timeout.total_seconds(),
        fallback_urls=[one.reveal() for one in settings.fallback_node_urls],
        max_head_age_s=pace.oldest_head_s,
    )
    signers, sessions = owner_signers(settings) if signs else None, open_sessions(engine)
    return Context(
        engine=engine,
        sessions=sessions,
        gateway=ContractGateway(node, settings.contract_address),
        operator=signers.messages if signers else AddressOnly(settings.owner_address),
        policy=ledger_policy(settings),
        fees=fee_policy(settings),
        pace=pace,
        terms_url=settings.tos_url,
        sla_token=TokenTerms(settings.sla_token_address.hex(), SLA_TOKEN_NAME, SLA_TOKEN_NAME),
        in_flight_limit=settings.tx_max_in_flight,
        daily_budget=settings.tx_daily_budget_wei,
        fuel_threshold=settings.owner_balance_threshold_wei,
        retention=settings.retention,
        proof_sample=settings.checkpoint_proof_sample,
        accepts_published=settings.accept_published_contract,
        signer=AlarmingSigner(signers.transactions, sessions) if signers else None,
        sla_recipient=_sla_recipient(settings) if signs else None,
    )


def channels_of(settings: Settings) -> list[Channel]:
    """The ways in which people hear of alarms; none if the settings name none."""
    redact = Redaction(settings.secrets()).text
    channels: list[Channel] = []
    if settings.notification_hook_url is not None:
        channels.append(Hook(settings.notification_hook_url, settings.server_name, redact))
    if settings.email_host is not None and settings.email_sender is not None:
        server = MailServer(
            host=settings.email_host,
            port=settings.email_port,
            user=settings.email_user,
            password=settings.email_password,
            use_tls=settings.email_use_tls,
        )
        channels.append(
            Mail(
                server,
                settings.email_sender,
                settings.alarm_recipients,
                settings.server_name,
                redact,
            )
        )
    return channels


def _sla_recipient(settings: Settings) -> Signer | None:
    """Who receives payments for service levels, if that is not the operator."""
    key = settings.sla_recipient_key
    if key is None or settings.sla_recipient_address == settings.owner_address:
        return None
    return Signer(bytes.fromhex(key.reveal()))


def transaction_hook(settings: Settings, context: Context) -> TransactionHook | None:
    """What posts confirmed transfers, if a URL is set."""
    if settings.transaction_hook_url is None:
        return None
    address = HookAddress(settings.transaction_hook_url, settings.transaction_hook_key)
    return TransactionHook(context.engine, address)
