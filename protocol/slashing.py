"""When withdrawal requests may be slashed: one calendar for both editions of the contract.

A slash drops everything that a wallet has requested in the current eon and in the one before. It
may never drop a request that a checkpoint has deducted: the wallet's leaf could not be proven any
more, or its money would belong to nobody. And between the closing of an eon and the finality of
the root that follows it, it may change nothing that the root's basis or leaves did not count.
"""

from dataclasses import dataclass

from protocol.editions import ContractEdition


@dataclass(frozen=True, slots=True)
class SlashMoment:
    """The moment of a decision, in `eon`.

    `last_is_closed`: the leaves that deduct the requests of the eon before are fixed.
    `root_is_final`: the root over these leaves is on chain, as deep as we believe anything.
    """

    eon: int
    last_is_closed: bool
    root_is_final: bool


def slashable_eons(
    edition: ContractEdition, moment: SlashMoment, *, last_is_deducted: bool
) -> tuple[int, ...]:
    """List the eons whose requests a slash decided now drops, oldest first; none: it must wait.

    `last_is_deducted`: the wallet has open requests of the eon before that the checkpoint has
    deducted. The published contract would drop them too, so a slash waits for the next eon there
    and is still in time before that is closed.
    """
    if not moment.last_is_closed:
        return (moment.eon - 1, moment.eon)
    if not moment.root_is_final:
        return ()
    dropped = edition.slashed_eons(moment.eon, last_submission_eon=moment.eon)
    if moment.eon - 1 in dropped and last_is_deducted:
        return ()
    return (moment.eon,)
