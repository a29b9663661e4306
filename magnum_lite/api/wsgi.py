"""``application`` for the web server; the only module that acts when it is imported.

``OS_MAGNUM_LITE_CONFIG_FILES`` names the configuration files, separated by semicolons; without it
the usual places are looked at. A mistake in them is one line on standard error.
"""

import os
import sys

from magnum_lite import conf as options
from magnum_lite import startup
from magnum_lite.api.app import make_app
from magnum_lite.exceptions import Misconfigured

_VARIABLE = 'OS_MAGNUM_LITE_CONFIG_FILES'
_PROG = 'magnum-lite-api'
# gunicorn starts a worker that ends with another status again and again.
_BOOT_ERROR = 3

_FILES = os.environ.get(_VARIABLE, '')
try:
    _CONF = startup.load(
        [], prog=_PROG, config_files=_FILES.split(';') if _FILES else None, named_by=_VARIABLE
    )
    startup.check(_CONF)
    try:
        application = make_app(_CONF)
    except ValueError as error:
        raise Misconfigured(f'{options.files(_CONF)}: {error}') from error
except Misconfigured as error:
    print(f'{_PROG}: {error}', file=sys.stderr, flush=True)
    raise SystemExit(_BOOT_ERROR) from None
