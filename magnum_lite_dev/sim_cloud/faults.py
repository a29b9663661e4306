"""Faults that somebody ordered: what goes wrong, for which server or request, how often."""

import fnmatch
from typing import Any

from magnum_lite_dev.sim_cloud.request import Refusal

# What each kind does, and the fields it reads besides ``match`` and ``times``.
KINDS = {
    'no_valid_host': 'the server goes to ERROR as if no host had room',
    'boot_error': 'the server goes to ERROR with ``message``',
    'slow': 'the server needs ``seconds`` to become ACTIVE',
    'no_signal': 'the node comes up and never signals',
    'signal_failure': 'the node signals FAILURE with ``message`` as the reason',
    'http': 'requests get ``status`` (500) and ``message``',
    'http_slow': 'requests are answered ``seconds`` later',
    'slow_boot': 'the next boot of a server that boots begins ``seconds`` later',
    'power_loss': 'the power of servers that boot is gone at once; Nova does not see it',
    'cable_pulled': 'servers that boot lose their networks, until faults are taken back',
    'disk_full': 'the disks of servers that boot are full, until faults are taken back',
}
# These wait for nothing: they happen to the servers that there are.
AT_ONCE = ('power_loss', 'cable_pulled', 'disk_full')
FIELDS = frozenset({'kind', 'match', 'times', 'seconds', 'status', 'message'})


class Faults:
    """The ordered list of faults; the first that matches is taken. Guarded by the store's lock."""

    def __init__(self) -> None:
        self.waiting = []

    def add(self, fault) -> None:
        """Order a fault.

        :param fault: mapping with ``kind`` (see :data:`KINDS`), ``match`` (glob on the server's
            name, for the http kinds on ``'METHOD /path'``; default everything), ``times`` (how
            often; default for ever) and the fields of the kind.
        :raises Refusal: 400, unknown kind or field.
        """
        check(fault)
        self.waiting.append({'match': '*', 'times': None, **fault})

    def take(self, subject, *kinds) -> dict[str, Any] | None:
        """The first fault of ``kinds`` that matches ``subject``, counted down; None without."""
        for fault in self.waiting:
            if fault['kind'] in kinds and fnmatch.fnmatchcase(subject, fault['match']):
                if fault['times'] is not None:
                    fault['times'] -= 1
                    if fault['times'] <= 0:
                        self.waiting.remove(fault)
                return fault
        return None


def check(fault) -> None:
    """Go on when a fault can be ordered.

    :raises Refusal: 400, unknown kind or field.
    """
    if fault.get('kind') not in KINDS:
        raise Refusal(400, f'kind must be one of {", ".join(KINDS)}')
    unknown = sorted(set(fault) - FIELDS)
    if unknown:
        raise Refusal(400, f'a fault has no field {", ".join(unknown)}')
