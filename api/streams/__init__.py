"""The push side: streams that wallets subscribe to, over WebSocket."""
