"""What can go wrong with the embedded parts."""


class StackError(RuntimeError):
    """Base of all errors of the embedded stack; the message says what a person can do."""


class PortInUse(StackError):
    """A port that a part needs is taken by another program."""


class MissingBinary(StackError):
    """A part's program is not installed."""


class NotReady(StackError):
    """A part ended, or did not answer, within its time."""


class AlreadyRunning(StackError):
    """Another stack uses the same data folder."""


class UnusableFolder(StackError):
    """A folder's permissions do not suit an unprivileged PostgreSQL."""
