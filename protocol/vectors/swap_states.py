"""The family of states that orders authorise, taken from the recorded run.

The recording gives an order's terms and totals; the sets under its leaves and the wallets' keys
come from replaying the run.
"""

from protocol.markers import minimum_available_balance_digest
from protocol.orders import (
    OrderState,
    OrderTerms,
    Side,
    Totals,
    credit_closing_states,
    debit_cancellation_states,
    placement_states,
)
from protocol.signing import Signer, format_signature
from protocol.states import active_state_digest
from protocol.vectors.comparison import Computed
from protocol.vectors.inputs import Inputs, InvalidVector
from protocol.vectors.scenario.records import Row
from protocol.vectors.scenario.replay import Replay


class SwapStates:
    """Derives the states of one action on one order."""

    def __init__(self, replay: Replay) -> None:
        self._replay = replay
        self._contract = replay.network.contract

    def __call__(self, inputs: Inputs) -> Computed:
        """Recompute one case."""
        action, number = inputs.text("action"), inputs.integer("swap_id")
        rows = self._replay.network.rows
        if not 0 < number <= len(rows):
            raise InvalidVector("inputs.swap_id: no such order in the run")
        row = rows[number - 1]
        inputs.agree("eon_number", inputs.integer("eon_number"), row.eon)
        sell, buy = inputs.record("sell"), inputs.record("buy")
        terms = OrderTerms(
            sell_token=sell.address("token"),
            buy_token=buy.address("token"),
            recipient_trail=buy.integer("trail_identifier"),
            amount=inputs.amount("amount"),
            amount_swapped=inputs.amount("amount_swapped"),
            nonce=inputs.amount("nonce"),
        )
        if action == "order":
            return self._placement(inputs, row, terms, sell, buy)
        if action in ("cancel", "finalize"):
            return self._closing(inputs, row, terms, sell, buy)
        raise InvalidVector(f"inputs.action: unknown action {action!r}")

    def _placement(
        self, inputs: Inputs, row: Row, terms: OrderTerms, sell: Inputs, buy: Inputs
    ) -> Computed:
        if row.placed_on is None:
            raise InvalidVector("inputs.swap_id: not an order's first row")
        debit = row.placed_on[0]._replace(totals=_totals(inputs, "sell_before"))
        credit = row.placed_on[1]._replace(totals=_totals(inputs, "buy_before"))
        eons = inputs.integer("eon_count")
        states = placement_states(terms, eon=row.eon, eons=eons, debit=debit, credit=credit)
        return {
            "debit": self._signed(states.debit, sell),
            "credit": self._signed(states.credit, buy),
            "fulfillment": self._signed(states.fulfilment, buy),
            "debit_balance_signatures": self._markers(states.debit, sell),
            "credit_balance_signatures": self._markers(states.credit, buy),
        }

    def _closing(
        self, inputs: Inputs, row: Row, terms: OrderTerms, sell: Inputs, buy: Inputs
    ) -> Computed:
        if row.closed_on is None:
            raise InvalidVector("inputs.swap_id: the run does not close this order")
        debit: Side = row.closed_on[0]._replace(totals=_totals(inputs, "sell_state"))
        eons = [copy.eon for copy in row.group if copy.eon >= row.eon]
        matched_out = inputs.amount("matched_out_this_eon")
        credit_states = credit_closing_states(
            terms,
            eons=eons,
            totals=_totals(inputs, "buy_state"),
            set_before=row.closed_on[1].set_before,
            matched_in=inputs.amount("matched_in_this_eon"),
        )
        credit = self._signed(credit_states, buy)
        self._signer(sell)
        if inputs.text("action") == "finalize":
            # The credit wallet alone signs; its counterpart's trail enters nothing.
            sell.integer("trail_identifier")
            return {"finalization": credit}
        debit_states = debit_cancellation_states(
            terms, eons=eons, debit=debit, matched_out=matched_out
        )
        return {
            "sender_cancellation": self._signed(debit_states, sell),
            "recipient_cancellation": credit,
        }

    def _signed(self, states: list[OrderState], owner: Inputs) -> list[Computed]:
        signer, signed = self._signer(owner), []
        for state in states:
            digest = active_state_digest(
                contract=self._contract,
                token=owner.address("token"),
                wallet=signer.address,
                trail=owner.integer("trail_identifier"),
                eon=state.eon,
                tx_set_root=state.tx_set_root,
                spent=state.spent,
                gained=state.gained,
            )
            entry: Computed = {
                "wallet": owner.text("address").removeprefix("0x"),
                "token": owner.text("token").removeprefix("0x"),
                "trail_identifier": owner.integer("trail_identifier"),
                "eon_number": state.eon,
                "tx_set_hash": state.tx_set_root.hex(),
                "updated_spendings": str(state.spent),
                "updated_gains": str(state.gained),
                "checksum": digest.hex(),
                "wallet_signature": format_signature(signer.sign(digest)),
            }
            signed.append(entry)
        return signed

    def _markers(self, states: list[OrderState], owner: Inputs) -> list[Computed]:
        signer = self._signer(owner)
        digests = [
            minimum_available_balance_digest(
                contract=self._contract,
                token=owner.address("token"),
                wallet=signer.address,
                eon=state.eon,
                amount=0,
            )
            for state in states
        ]
        return [format_signature(signer.sign(digest)) for digest in digests]

    def _signer(self, owner: Inputs) -> Signer:
        address = owner.address("address")
        if address not in self._replay.accounts:
            raise InvalidVector(f"{owner.name}.address: no account of the run")
        return self._replay.accounts[address]


def _totals(inputs: Inputs, field: str) -> Totals:
    record = inputs.record(field)
    return Totals(record.amount("spent"), record.amount("gained"))
