"""One module a step, with its statements in a .sql file of the same name."""
