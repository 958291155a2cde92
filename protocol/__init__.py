"""NOCUST itself: encodings, hashes, signatures, leaves, trees, states, the eon clock. Pure."""
