"""The base of every error that the protocol raises."""


class ProtocolError(ValueError):
    """A value breaks a rule of the protocol. Every named error of this room derives from it."""
