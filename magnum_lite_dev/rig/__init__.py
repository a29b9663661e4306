"""What tests, tools and benchmarks run the service on: its processes, databases and doors."""

# How long a test waits for what should come: what only a failure reaches, on the slowest machine.
PATIENCE_S = 300
