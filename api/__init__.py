"""The Sanic API that wallets talk to."""
