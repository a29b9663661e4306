"""A whole OpenStack on loopback, for tests: real services, and a driver that makes no machines."""
