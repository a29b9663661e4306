"""Servers of the simulated cloud that really boot: namespaces of this machine, as root on Linux."""
