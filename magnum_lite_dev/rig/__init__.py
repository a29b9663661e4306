"""What tests, tools and benchmarks run the service on: its processes, databases and doors."""
