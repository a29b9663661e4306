"""What a person sees: headings, echoed commands, progress; colour only where it is welcome."""

import os
import shutil
import sys
import time

COLOURS = {'head': '1;36', 'command': '1', 'good': '32', 'bad': '1;31', 'dim': '2'}
# Leaves room for a sentence in 80 columns.
BAR = 12


class Screen:
    """Writes to one stream.

    Colour and a bar that moves need a terminal; ``NO_COLOR`` and ``TERM=dumb`` forbid colour.
    """

    def __init__(self, stream=None) -> None:
        self._stream = stream or sys.stdout
        self.is_terminal = self._stream.isatty() and os.environ.get('TERM') != 'dumb'
        self._has_colour = self.is_terminal and not os.environ.get('NO_COLOR')
        self._bar_shown = False
        self._last = None

    def paint(self, text, colour) -> str:
        """The text in a colour of :data:`COLOURS`, or as it is."""
        return f'\033[{COLOURS[colour]}m{text}\033[0m' if self._has_colour else text

    def line(self, text='', colour=None) -> None:
        """One line, which takes the place of a bar."""
        if self._bar_shown:
            self._stream.write('\r\033[K')
            self._bar_shown = False
        self._stream.write((self.paint(text, colour) if colour else text) + '\n')
        self._stream.flush()
        self._last = None

    def progress(self, done, total, unit, text, elapsed, *, left_s=None) -> None:
        """How far something is: a bar on a terminal, else a line whenever the text changes.

        :param unit: what is counted.
        :param left_s: seconds that it may still take, if anybody knows.
        """
        if not self.is_terminal:
            if text != self._last:
                self.line(f'  {elapsed}  {text}')
                self._last = text
            return
        filled = BAR * done // total if total else 0
        left = '' if left_s is None else f'  about {left_s} s left'
        shown = (
            f'  [{"#" * filled}{"-" * (BAR - filled)}] {done}/{total} {unit}  '
            f'{elapsed}{left}  {text}'
        )
        width = shutil.get_terminal_size().columns - 1
        self._stream.write('\r\033[K' + shown[:width])
        self._stream.flush()
        self._bar_shown = True


class Stopwatch:
    """Seconds since it was made, as text and number."""

    def __init__(self) -> None:
        self._began = time.monotonic()

    @property
    def seconds(self) -> float:
        """Seconds so far."""
        return time.monotonic() - self._began

    def __str__(self) -> str:
        return f'{self.seconds:.1f} s'
