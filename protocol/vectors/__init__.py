"""The vector checker: recomputes recorded values of the protocol, one module per family of files.

A folder of vectors holds one JSON file per family, each with cases of inputs and expected values.
Every expected value is recomputed from the inputs alone; a value that nothing recomputes is a
failure, not a pass.
"""
