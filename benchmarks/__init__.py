"""Figures of the service, each measured in one go with what it is compared to."""
