#!/usr/bin/env bash
# Puts a new commit-chain on any chain: asks for what it needs, the key without echo.
# What it prints at the end belongs into the operator's settings; the first checkpoint is due in the
# first eon, so have the operator ready.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

EMPTY=3

ask() {
    local answer
    IFS= read -r -p "$2: " "${@:3}" answer
    if [ -z "$answer" ]; then
        echo "deploy_contract.sh: $2 may not be empty" >&2
        exit "$EMPTY"
    fi
    printf -v "$1" '%s' "$answer"
}

ask NODE_URL "URL of the chain's node"
ask OWNER_ADDRESS "Address of the owner, who becomes the operator"
ask HUB_OWNER_ACCOUNT_KEY "Private key of the owner (not shown)" -s
echo
ask BLOCKS_PER_EON "Blocks of one eon (fixed for ever)"

export HUB_OWNER_ACCOUNT_KEY
exec ./run.sh deploy-contract --node-url "$NODE_URL" --owner "$OWNER_ADDRESS" \
    --blocks-per-eon "$BLOCKS_PER_EON"
