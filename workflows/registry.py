"""Every workflow type that a worker runs and whose histories are replayed."""

from typing import Any, Final

from workflows.bootstrap import BootstrapWorkflow
from workflows.chain_sync import ChainSyncWorkflow
from workflows.challenge import ChallengeWorkflow
from workflows.eon import EonWorkflow
from workflows.fuel import FuelCheckWorkflow
from workflows.reconcile import ReconcileWorkflow
from workflows.retention import RetentionWorkflow
from workflows.sanity import SanityWorkflow
from workflows.slash import SlashWorkflow
from workflows.terms_refresh import TermsRefreshWorkflow
from workflows.token_registration import TokenRegistrationWorkflow
from workflows.transaction import TransactionWorkflow
from workflows.withdrawal_desk import WithdrawalDeskWorkflow

ALL: Final[list[type[Any]]] = [
    BootstrapWorkflow,
    ChainSyncWorkflow,
    ChallengeWorkflow,
    EonWorkflow,
    FuelCheckWorkflow,
    ReconcileWorkflow,
    RetentionWorkflow,
    SanityWorkflow,
    SlashWorkflow,
    TermsRefreshWorkflow,
    TokenRegistrationWorkflow,
    TransactionWorkflow,
    WithdrawalDeskWorkflow,
]
