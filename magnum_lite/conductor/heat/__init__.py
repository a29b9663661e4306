"""Heat, as the conductor knows a backend: nothing else of the conductor knows stacks."""
