"""Calls that start at the same moment."""

import threading
from concurrent.futures import ThreadPoolExecutor


def together(*calls):
    """What functions return that start at the same moment, in the order of the functions."""
    barrier = threading.Barrier(len(calls))

    def run(call):
        barrier.wait(30)
        return call()

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(run, calls))
