// Deposits, payments, proofs and totals as the published contract has them.
export const money = [
  {
    weakness: "W12",
    file: "Assets.sol",
    ours: `            (bool paid,) = holder.call{value: amount}("");
            require(paid, "f");
        } else {
            require(succeeds(token, abi.encodeCall(Token.transfer, (holder, amount))), "f");
        }`,
    theirs: `            // The stipend of 2300 gas and nothing else.
            (bool paid,) = holder.call{value: amount, gas: 0}("");
            require(paid, "f");
        } else {
            require(Token(token).transfer(holder, amount), "f");
        }`,
  },
  {
    weakness: "W12",
    file: "Assets.sol",
    ours: `        // Without this floor a caller could starve the operator's code of gas and keep its bond
        // from it; plain accounts need none.
        if (operator.code.length > 0) require(gasleft() > BOND_GAS + BOND_GAS / 32, "gas");
        assembly ("memory-safe") {
            // No return data is copied: it would be the caller's gas.
            pop(call(BOND_GAS, operator, callvalue(), 0, 0, 0, 0))
        }`,
    theirs: `        (bool paid,) = operator.call{value: msg.value, gas: 0}("");
        require(paid, "f");`,
  },
  {
    weakness: "W13",
    file: "Assets.sol",
    ours: `        return isEther(token) ? balance - msg.value : balance;`,
    theirs: `        return balance;`,
  },
  {
    weakness: "W14",
    file: "Assets.sol",
    ours: `    function pull(address token, uint256 amount) internal {
        uint256 before = Token(token).balanceOf(address(this));
        require(
            succeeds(token, abi.encodeCall(Token.transferFrom, (msg.sender, address(this), amount))),
            "f"
        );
        require(Token(token).balanceOf(address(this)) - before == amount, "f");
    }`,
    theirs: `    function pull(address token, address payer, uint256 amount) internal {
        require(Token(token).transferFrom(payer, address(this), amount), "f");
    }`,
  },
  {
    weakness: "W14",
    file: "NOCUSTCommitChain.sol",
    ours: `Assets.pull(token, value);`,
    theirs: `Assets.pull(token, beneficiary, value);`,
  },
  {
    weakness: "W8",
    file: "NOCUSTCommitChain.sol",
    ours: `        require(token != address(this) && ledger.trails[token] == 0, "known");
        require(token.code.length > 0, "code");`,
    theirs: `        require(ledger.trails[token] == 0, "known");`,
  },
  {
    weakness: "W23",
    file: "NOCUSTCommitChain.sol",
    ours: `        require(blocksPerEon >= SHORTEST_EON && blocksPerEon <= type(uint48).max, "eon");
        require(operator != address(0), "zero");
`,
    theirs: ``,
  },
  {
    weakness: "W9",
    file: "NOCUSTCommitChain.sol",
    ours: `        require(beneficiary != address(0), "zero");
`,
    theirs: ``,
  },
  {
    weakness: "W9",
    file: "Signatures.sol",
    ours: `        return attester != address(0) && recover(message, r, s, v) == attester;`,
    theirs: `        return recover(message, r, s, v) == attester;`,
  },
  {
    weakness: "W19",
    file: "Proofs.sol",
    ours: `        return trail == 0 && node == merkleRoot;`,
    theirs: `        return node == merkleRoot;`,
  },
  {
    weakness: "W19",
    file: "Proofs.sol",
    ours: `        require(span.left == 0, "l");
        require(trail == 0, "m");`,
    theirs: `        require(span.left == 0, "l");`,
  },
  {
    weakness: "W31",
    file: "Totals.sol",
    ours: `        fill(ring, eon);
        Aggregate storage slot = ring[eon % EONS_KEPT_];
        write(slot, eon, slot.amount + amount);`,
    theirs: `        Aggregate storage slot = ring[eon % EONS_KEPT_];
        if (slot.eon < eon) write(slot, eon, running(ring, eon - 1));
        write(slot, eon, slot.amount + amount);`,
  },
  {
    weakness: "W31",
    file: "Totals.sol",
    ours: `        fill(ring, eon);
        for (uint256 e = first; e <= eon; e++) {
            Aggregate storage slot = ring[e % EONS_KEPT_];
            require`,
    theirs: `        for (uint256 e = first; e <= eon; e++) {
            Aggregate storage slot = ring[e % EONS_KEPT_];
            if (slot.eon < e) write(slot, e, running(ring, e - 1));
        }
        for (uint256 e = first; e <= eon; e++) {
            Aggregate storage slot = ring[e % EONS_KEPT_];
            require`,
  },
];
