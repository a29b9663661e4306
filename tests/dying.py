"""Kills a function one line later each time.

It forks and sets a trace function, so it is for a process of its own.
"""

import os
import signal
import sys


def deaths(module, function):
    """Runs the function in a child that is killed before the first line of the module that it
    runs, then in one that is killed before the second, and so on until one ends by itself.

    Yields after each child, for a look at what is left of it.
    """
    line, is_over = 0, False
    while not is_over:
        line += 1
        child = os.fork()
        if not child:
            _be_killed(module.__file__, line, function)
        _, status = os.waitpid(child, 0)
        is_over = os.WIFEXITED(status)
        assert status == 0 if is_over else os.WTERMSIG(status) == signal.SIGKILL, status
        yield line


def _be_killed(file, line, function):
    """Run the function, and die before the n-th line of the file that it runs, or afterwards."""
    seen = 0

    def trace(frame, event, argument):
        nonlocal seen
        if frame.f_code.co_filename != file:
            return None
        if event == 'line':
            seen += 1
            if seen == line:
                os.kill(os.getpid(), signal.SIGKILL)
        return trace

    code = 1
    try:
        sys.settrace(trace)
        function()
        sys.settrace(None)
        code = 0
    finally:
        os._exit(code)
