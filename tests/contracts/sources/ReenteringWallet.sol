// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

interface Deposits {
    function deposit(address token, address beneficiary, uint256 amount) external payable;
}

/// @title A wallet that tries to deposit what it is being paid
contract ReenteringWallet {
    bool public tried;
    bool public reentered;

    function call(address to, bytes calldata data) external payable {
        (bool done, bytes memory answer) = to.call{value: msg.value}(data);
        if (!done) {
            assembly {
                revert(add(answer, 32), mload(answer))
            }
        }
    }

    receive() external payable {
        tried = true;
        (reentered,) = msg.sender.call{value: msg.value}(
            abi.encodeCall(Deposits.deposit, (msg.sender, address(this), 0))
        );
    }
}
