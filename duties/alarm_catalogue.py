"""What each alarm means, what to do, and the page of the runbook that tells more."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from duties import alarms

RUNBOOKS: Final = "docs/runbooks"


@dataclass(frozen=True, slots=True)
class Entry:
    """One subject of the catalogue: `slug` names its page, `advice` is the first thing to do."""

    slug: str
    meaning: str
    advice: str

    @property
    def runbook(self) -> str:
        """The page, as a path in this repository."""
        return f"{RUNBOOKS}/{self.slug}.md"


CATALOGUE: Final[Mapping[str, Entry]] = {
    alarms.CHECKPOINT_LATE: Entry(
        "checkpoint-late",
        "The eon goes by and its root is not on chain. Without it the commit-chain halts for good.",
        "Look at what the eon's duty waits for, and end that before the blocks left are gone.",
    ),
    alarms.CHECKPOINT_REVERTED: Entry(
        "checkpoint-reverted",
        "A submitted root was refused by the contract or did not become final; another is tried.",
        "Read the letter: open challenges (c) and a changed basis (b) cure themselves, others do"
        " not.",
    ),
    alarms.CHECKPOINT_FOREIGN: Entry(
        "checkpoint-foreign",
        "The contract holds a root of this eon that is not ours: somebody else has the key.",
        "Stop taking payments, secure the key, and compare the two ledgers.",
    ),
    alarms.OVERCLAIM: Entry(
        "over-claim",
        "The root allots more of a token than the contract holds, so it is held back.",
        "Find the cause; cover the difference or approve the root before the blocks left are gone.",
    ),
    alarms.PROOF_REFUSED: Entry(
        "proof-refused",
        "The contract's verifier refuses proofs of a checkpoint, so its root is not announced.",
        "Run the doctor and the audit, cure what they find, then have the eon's duty try again.",
    ),
    alarms.HALTED: Entry(
        "halted",
        "An eon ended without its root or a challenge without its answer: the chain has halted.",
        "Keep serving proofs; tell the wallets to recover their funds from the contract.",
    ),
    alarms.OUT_OF_SYNC: Entry(
        "out-of-sync",
        "The checkpoint is due, but the last block of the eon before is not confirmed here.",
        "See whether the node is behind or the chain is no longer followed.",
    ),
    alarms.NODE_UNREACHABLE: Entry(
        "node-unreachable",
        "The Ethereum node does not answer, or what it answers is of no use.",
        "Bring the node back or point the operator at another one.",
    ),
    alarms.NODE_BEHIND: Entry(
        "node-behind",
        "The node answers, but its newest block is old or it is still syncing.",
        "Bring the node up to the chain's head, or name another; the chain goes on unseen.",
    ),
    alarms.DEEP_REORGANISATION: Entry(
        "deep-reorganisation",
        "Blocks that were confirmed have left the chain. Nothing is credited any more.",
        "Find out which branch won, then resynchronise chain-sync from the last common block.",
    ),
    alarms.KEPT_ORPHANED: Entry(
        "kept-orphaned",
        "A closed eon counts an event that the chain has lost, and a person decided to keep it.",
        "Cover the difference in the contract, or make good to the wallet that it concerns.",
    ),
    alarms.ACCUMULATOR: Entry(
        "accumulator",
        "The contract did something that no event told of, such as a slash by somebody else.",
        "Compare the pending requests on chain with the ledger's, and read the events again.",
    ),
    alarms.UNKNOWN_EVENT: Entry(
        "unknown-event",
        "The contract logged something that this version of the operator does not know.",
        "Check that the contract's address and edition are the ones you mean to operate.",
    ),
    alarms.UNKNOWN_NOTICE: Entry(
        "unknown-notice",
        "The ledger recorded a fact that no duty takes: the versions of two processes differ.",
        "Roll out one version to all processes.",
    ),
    alarms.NONCE_USURPED: Entry(
        "nonce-usurped",
        "Other software sent a transaction from the operator's account with a nonce of ours.",
        "Find who else uses the key. If it is nobody you know, the key is stolen.",
    ),
    alarms.FEE_CEILING: Entry(
        "fee-ceiling",
        "A transaction waits because mining it costs more than its ceiling allows.",
        "Raise its ceiling, or wait if its deadline is far.",
    ),
    alarms.FUEL: Entry(
        "low-fuel",
        "The operator's account is short of ether for the transactions that it owes.",
        "Send ether to the account that the alarm names.",
    ),
    alarms.SENDING_HELD: Entry(
        "sending-held",
        "The account cannot pay for what it has to send: ordinary transactions are held back.",
        "Send ether to the account that the alarm names, now.",
    ),
    alarms.BUDGET: Entry(
        "budget",
        "The day's budget for gas is used up: only what the chain halts without is sent.",
        "Wait for the next day (UTC), or raise HUB_TX_DAILY_BUDGET_ETH and restart the worker.",
    ),
    alarms.WITHDRAWAL_BLOCKED: Entry(
        "withdrawal-blocked",
        "A payable withdrawal cannot be paid by us; its holder can still confirm it himself.",
        "Read the reason; retry the desk when it has ended.",
    ),
    alarms.DISPUTE: Entry(
        "dispute",
        "A wallet opened a challenge on chain. Unanswered it halts the commit-chain for good.",
        "Nothing, as long as its duty is at work: the answer is sent by itself.",
    ),
    alarms.DISPUTE_UNKNOWN: Entry(
        "dispute-unknown",
        "A challenge is about a token or a pair that the ledger does not know.",
        "Find out which contract is operated with which database, before the deadline.",
    ),
    alarms.DISPUTE_UNANSWERED: Entry(
        "dispute-unanswered",
        "A part of a challenge's window is gone and its answer is not mined.",
        "Read what the duty waits for: the checkpoint, the node, the fee ceiling, an answer.",
    ),
    alarms.DISPUTE_UNANSWERABLE: Entry(
        "dispute-unanswerable",
        "The contract takes no answer that the ledger can make: it may be in the right.",
        "Read each reason; supply an answer by hand if there is one.",
    ),
    alarms.DISPUTE_LAPSED: Entry(
        "dispute-lapsed",
        "A challenge was not answered by its last block: no further checkpoint can be submitted.",
        "Prepare wallets for the halt; keep serving proofs.",
    ),
    alarms.DISPUTE_COUNT: Entry(
        "dispute-count",
        "The contract counts other open challenges than the ledger: one of them is missing here.",
        "Find the missing ChallengeIssued events with another node.",
    ),
    alarms.TOKEN_BLOCKED: Entry(
        "token-blocked",
        "A token cannot be registered and is not offered to wallets.",
        "Read the reason and correct the token's address or names.",
    ),
    alarms.TOKEN_UNKNOWN: Entry(
        "token-unknown",
        "Somebody registered a token on the contract that has no name here.",
        "Find out what it is and add it under its name.",
    ),
    alarms.OVERCLAIM_CHARGED: Entry(
        "over-claim-charged",
        "The wallets' balances of a token exceeded its funds; the operator's own leaf paid for it.",
        "Find out which money is missing: the operator's leaf will not always cover it.",
    ),
    alarms.WALLET_ISOLATED: Entry(
        "wallet-isolated",
        "A wallet's account contradicts itself; the checkpoint was made without its excess.",
        "Audit that wallet before it challenges.",
    ),
    alarms.REQUEST_WITHOUT_WALLET: Entry(
        "request-without-wallet",
        "A withdrawal was requested for an address that has no wallet here.",
        "On the hardened contract this needs a proof: look whether a wallet was lost.",
    ),
    alarms.UNBACKED_WITHDRAWAL: Entry(
        "unbacked-withdrawal",
        "A wallet requested more than it has, and no marker that it signed lets us cancel it.",
        "Before its block passes, get the money back into the wallet or a marker from its owner.",
    ),
    alarms.SLASHED_LATE: Entry(
        "slashed-late",
        "Somebody slashed a request that a committed checkpoint had deducted already.",
        "Compensate the wallet; find out who slashed.",
    ),
    alarms.WITHDRAWALS_DIFFER: Entry(
        "withdrawals-differ",
        "The contract paid or dropped requests in a way that the ledger's open requests exclude.",
        "Compare the wallet's requests on chain with the ledger's; its requests are frozen.",
    ),
    alarms.DUTY_FAILING: Entry(
        "duty-failing",
        "A step of a duty fails again and again; it is tried until it succeeds.",
        "Read the error; look at the duty in the Temporal UI and at its deadline.",
    ),
    alarms.DUTIES_STALLED: Entry(
        "duties-stalled",
        "Nobody looks at the chain: Temporal, its workers or the duty chain-sync stand still.",
        "Bring Temporal and the workers back; payments go on only until a deadline is near.",
    ),
    alarms.SIGNER: Entry(
        "signer-unavailable",
        "Whoever holds the operator's key does not sign: nothing can be sent or countersigned.",
        "Bring the signer back, or put the key into this process, before the next deadline.",
    ),
    alarms.DUTY_MISSING: Entry(
        "duty-missing",
        "A duty that the ledger needs was not running; it was started again.",
        "Find out who ended it: duties are paused or cancelled, never terminated.",
    ),
    alarms.CONTRACT_CHANGED: Entry(
        "contract-changed",
        "The contract behind the address is not the one that the ledger belongs to.",
        "Check which chain the node follows before anything is sent.",
    ),
    alarms.FUNDS_MISSING: Entry(
        "funds-missing",
        "The contract owns less of a token than was deposited and has not been paid.",
        "Find out where the money went; the next checkpoint may be an over-claim.",
    ),
    alarms.FUNDS_EXTRA: Entry(
        "funds-extra",
        "Somebody sent money to the contract without a deposit; it belongs to nobody's balance.",
        "Nothing has to be done.",
    ),
    alarms.REQUESTS_DIFFER: Entry(
        "pending-requests",
        "The contract lists other open requests of a wallet than the ledger has.",
        "Find out whether somebody slashed, or whether an event is missing here.",
    ),
    alarms.CONSERVATION: Entry(
        "conservation",
        "The wallets of a token own more or less than came in and has not gone out.",
        "Audit the ledger at once; the difference will be an over-claim or somebody's loss.",
    ),
    alarms.TERMS_UNREACHABLE: Entry(
        "terms-unreachable",
        "The document with the digests of the terms of service cannot be read.",
        "Open TOS_URL yourself; older terms stay in force meanwhile.",
    ),
}

UNLISTED: Final = Entry(
    "README",
    "A subject that this version does not know: another version raised it.",
    "Read its message; roll out one version to all processes.",
)


def entry_of(subject: str) -> Entry:
    """The catalogue's entry of a subject, `UNLISTED` for one of another version."""
    return CATALOGUE.get(subject, UNLISTED)
