"""The two editions of the contract, and every rule in which they differ.

The hardened edition is this project's own contract. The published one is the original as others
deployed it; the operator runs on it only if told to, with care where the contract has holes. Code
elsewhere asks its `ContractEdition`, never an address or a setting.
"""

from enum import Enum
from typing import Final

from protocol.errors import ProtocolError

HARDENED_NAME: Final = "nocust-hardened-1"
"""What the hardened contract answers to `EDITION()`; the published one answers no data at all."""


class UnknownEdition(ProtocolError):
    """A contract calls itself by a name that this operator does not know."""


class ContractEdition(Enum):
    """Which contract judges the chain. Amounts are in base units."""

    HARDENED = "hardened"
    PUBLISHED = "published"

    @classmethod
    def of_answer(cls, name: str | None) -> "ContractEdition":
        """Recognise a contract by its answer to `EDITION()`, None for empty return data.

        The published contract's fallback swallows the unknown call. Raises `UnknownEdition`.
        """
        if name is None:
            return cls.PUBLISHED
        if name == HARDENED_NAME:
            return cls.HARDENED
        raise UnknownEdition(f"unknown edition of the contract: {name!r}")

    @property
    def needs_acceptance(self) -> bool:
        """Whether the owner must accept hazards that no operator can cure off chain."""
        return self is ContractEdition.PUBLISHED

    # Orders

    def accepts_price(self, *, sell: int, buy: int, taken: int, given: int) -> bool:
        """Tell whether the contract accepts a swap answer: `taken` sold, `given` bought so far.

        Hardened: the trader received at least the limit price buy / sell. Published: the rule
        points the wrong way, the trader must not have received more.
        """
        got, owed = sell * given // 100, taken * buy // 100
        return got >= owed if self is ContractEdition.HARDENED else owed >= got

    def hold_back(self, *, sell: int, buy: int, matched_out: int, matched_in: int) -> int:
        """Tell what to leave out of the credit wallet's allotment while its order is open.

        On the published contract an open order must not have received more than its limit price;
        the excess waits in the unclaimed leaf until the order ends. Nothing on the hardened one.
        """
        if self is ContractEdition.HARDENED:
            return 0
        allowed = (100 * (matched_out * buy // 100) + 99) // sell
        return max(0, matched_in - allowed)

    def hold_back_unsold(self, *, moved_in: int, matched_out: int) -> int:
        """Tell what to leave out of the debit wallet's allotment while its order is open.

        `moved_in` are its deposits less its withdrawals of the eon. Answers of the published
        contract do not see them: more of them than was sold looks like a refund of too much.
        """
        return 0 if self is ContractEdition.HARDENED else max(0, moved_in - matched_out)

    def swap_answer_base(
        self,
        *,
        start: int,
        gained: int,
        passive_amount: int,
        deposits: int,
        withdrawals: int,
        spent: int,
    ) -> int | None:
        """Compute the balance from which a swap answer counts what was given; None if it reverts.

        The hardened contract subtracts only from the final allotment, so a wallet that moved its
        money away and then asked to withdraw it cannot make every answer underflow.
        """
        base = start + gained + passive_amount + deposits - withdrawals - spent
        return None if base < 0 and self is ContractEdition.PUBLISHED else base

    # Challenges

    @property
    def answers_zero_totals(self) -> bool:
        """Whether a committed state with totals 0 and 0 can be proven in a state-update answer."""
        return self is ContractEdition.HARDENED

    @property
    def accepts_last_passive_leaf(self) -> bool:
        """Whether a delivery answer may translate the newest leaf's position into the true one."""
        return self is ContractEdition.HARDENED

    @property
    def keeps_openers_apart(self) -> bool:
        """Whether a sender's delivery challenge has an entry of its own beside the recipient's.

        Both may be open then, and a pair may be challenged again in one eon about another transfer.
        """
        return self is ContractEdition.HARDENED

    def may_open_challenge(self, *, halted: bool) -> bool:
        """Tell whether a halt forbids opening challenges."""
        return not (halted and self is ContractEdition.HARDENED)

    # Withdrawals

    def withdrawable_allotment(
        self, *, allotment: int, requests_of_last_eon: int, requests_of_this_eon: int
    ) -> int:
        """Tell how much more the contract lets a wallet request against its proven allotment.

        The allotment of eon e - 1 was committed before the requests of e - 1 existed; only the
        hardened contract subtracts those too.
        """
        reserved = requests_of_this_eon
        if self is ContractEdition.HARDENED:
            reserved += requests_of_last_eon
        return max(0, allotment - reserved)

    def pays_request(self, request_eon: int, *, last_submission_eon: int) -> bool:
        """Tell whether checkpoints allow paying a request, beside the calendar.

        Hardened: a later checkpoint has deducted it and cannot be recovered from before it.
        """
        return self is ContractEdition.PUBLISHED or request_eon <= last_submission_eon - 2

    def accepts_marker(self, marker_eon: int, *, eon: int) -> bool:
        """Tell whether a marker of `marker_eon` can slash in `eon`.

        The published contract also takes markers of the future, so that an authorisation of a
        withdrawal, read as one, slashes.
        """
        return eon < marker_eon + 3 and (marker_eon <= eon or self is ContractEdition.PUBLISHED)

    def slashed_eons(self, eon: int, *, last_submission_eon: int) -> tuple[int, ...]:
        """List the eons whose requests a slash mined in `eon` drops, oldest first.

        The hardened contract leaves the last eon's requests alone once a checkpoint has deducted
        them.
        """
        if self is ContractEdition.HARDENED and last_submission_eon >= eon:
            return (eon,)
        return (eon - 1, eon)

    @property
    def tells_of_slashes(self) -> bool:
        """Whether a slash emits an event; otherwise it must be read out of the transactions."""
        return self is ContractEdition.HARDENED

    def may_slash(self, *, halted: bool) -> bool:
        """Tell whether a halt forbids slashing."""
        return not (halted and self is ContractEdition.HARDENED)

    @property
    def needs_pending_refresh(self) -> bool:
        """Whether each token with requests needs one write an eon to keep its pending sum true."""
        return self is ContractEdition.PUBLISHED
