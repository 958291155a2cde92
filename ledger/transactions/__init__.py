"""The operator's on-chain transactions: intents, their nonces, and every signed attempt.

An attempt is stored before it is sent, so that a crash at any instruction leads to the same bytes
being sent again and never to a transaction that nobody recognises.
"""
