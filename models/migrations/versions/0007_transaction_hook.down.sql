DROP TABLE transaction_hook_mark;
