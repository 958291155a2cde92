"""SQLAlchemy tables, constraints, engine and sessions, migrations."""

from models.agreements import ServiceLevelAgreement, TermsOfService, TermsOfServiceSignature
from models.alarms import Alarm, AlarmDelivery, AlarmMessage
from models.analytics import TransferCount
from models.base import Base
from models.chain import (
    ChainEvent,
    ChainView,
    Challenge,
    ContractParameters,
    ContractState,
    Deposit,
    OrphanDeposit,
    SuppliedAnswer,
    Withdrawal,
    WithdrawalRequest,
)
from models.claims import UnclaimedClaim
from models.commitments import (
    BalanceTreeLevel,
    Eon,
    EonMembership,
    ExclusiveBalanceAllotment,
    RootCommitment,
    TokenCommitment,
)
from models.covers import Cover
from models.delegations import DelegatedWithdrawal
from models.guards import STATEMENTS as GUARD_STATEMENTS
from models.idempotency import IdempotentAnswer
from models.interventions import IntakePause, InterventionRecord
from models.notices import DutyNotice, Notification, TransactionHookMark
from models.slashes import Slash
from models.tokens import BlacklistEntry, Token, TokenPair
from models.transactions import SendingAccount, TransactionAttempt, TransactionIntent
from models.transfers import Matching, Transfer
from models.wallets import ActiveState, MinimumAvailableBalanceMarker, Wallet, WalletEon

__all__ = [
    "GUARD_STATEMENTS",
    "ActiveState",
    "Alarm",
    "AlarmDelivery",
    "AlarmMessage",
    "BalanceTreeLevel",
    "Base",
    "BlacklistEntry",
    "ChainEvent",
    "ChainView",
    "Challenge",
    "ContractParameters",
    "ContractState",
    "Cover",
    "DelegatedWithdrawal",
    "Deposit",
    "DutyNotice",
    "Eon",
    "EonMembership",
    "ExclusiveBalanceAllotment",
    "IdempotentAnswer",
    "IntakePause",
    "InterventionRecord",
    "Matching",
    "MinimumAvailableBalanceMarker",
    "Notification",
    "OrphanDeposit",
    "RootCommitment",
    "SendingAccount",
    "ServiceLevelAgreement",
    "Slash",
    "SuppliedAnswer",
    "TermsOfService",
    "TermsOfServiceSignature",
    "Token",
    "TokenCommitment",
    "TokenPair",
    "TransactionAttempt",
    "TransactionHookMark",
    "TransactionIntent",
    "Transfer",
    "TransferCount",
    "UnclaimedClaim",
    "Wallet",
    "WalletEon",
    "Withdrawal",
    "WithdrawalRequest",
]
