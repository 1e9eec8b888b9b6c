"""What is measured: one module a scenario, each a function from a `Bench` to results (result.py)."""
