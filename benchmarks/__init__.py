"""Side-by-side measurements. Each module has `rows()`, a table; `python -m benchmarks NAME` prints it."""
