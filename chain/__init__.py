"""The parent chain: contract gateway, editions, event decoding, signer, fees."""
