"""The contract kit: the rules of ``drivers/README.rst`` as tests that any driver can run."""
