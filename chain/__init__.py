"""The parent chain: nodes, the contract's face, its events, signed transactions and their fees.

Nothing here retries and nothing here decides: each call ends within its time limit with a value
or a named error of `chain.errors`, and the duties above choose what to do about it.
"""
