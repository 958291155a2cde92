"""A transfer just accepted, as the full Transaction object, by a template: the hot path's answer.

Every value is made of digits and hexadecimal digits; none needs escaping.
"""

from __future__ import annotations

from ledger.identities import WalletIdentity
from ledger.transfers import TransferAccepted


def _party(wallet: WalletIdentity) -> str:
    return (
        f'{{"address":"0x{wallet.text}","token":"0x{wallet.token_text}",'
        f'"trail_identifier":{wallet.trail}}}'
    )


def render_accepted(transfer: TransferAccepted) -> str:
    """Write the Transaction object of an accepted transfer, in the order of the long form."""
    proof = ",".join([f'"0x{sibling.hex()}"' for sibling in transfer.tx_set_proof])
    return (
        f'{{"id":{transfer.id},"tx_id":"{transfer.tx_id}","amount":"{transfer.amount}",'
        f'"amount_swapped":null,"wallet":{_party(transfer.sender)},'
        f'"recipient":{_party(transfer.recipient)},"nonce":"{transfer.nonce}","passive":true,'
        f'"position":"{transfer.position}","sender_active_state":{{'
        f'"wallet_signature":"{transfer.wallet_signature.hex()}",'
        f'"operator_signature":"{transfer.operator_signature.hex()}",'
        f'"updated_spendings":"{transfer.spent}","updated_gains":"{transfer.gained}",'
        f'"tx_set_hash":"{transfer.tx_set_hash.hex()}","tx_set_proof":[{proof}],'
        f'"tx_set_index":{transfer.tx_set_index}}},"recipient_active_state":null,'
        '"recipient_fulfillment_active_state":null,"recipient_finalization_active_state":null,'
        '"swap_freezing_signature":null,"sender_cancellation_active_state":null,'
        '"sender_finalization_active_state":null,"recipient_cancellation_active_state":null,'
        '"sender_starting_balance":null,"recipient_starting_balance":null,"delivery_proof":null,'
        f'"eon_number":{transfer.eon},"processed":true,"complete":true,"voided":false,'
        '"cancelled":false,"appended":true,"swap":false,"sell_order":true,'
        f'"matched_amounts":null,"time":{int(transfer.time.timestamp())}}}'
    )
