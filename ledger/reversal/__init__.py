"""Taking back what events did to the ledger that the chain no longer has.

Only after a reorganisation deeper than the confirmations, and only when a person says so.
"""

from ledger.reversal.deciding import CannotReverse, Decision, Reversed, resynchronise

__all__ = ["CannotReverse", "Decision", "Reversed", "resynchronise"]
