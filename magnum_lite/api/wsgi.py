"""``application`` for the web server; the only module that acts when it is imported.

``OS_MAGNUM_LITE_CONFIG_FILES`` names the configuration files, separated by semicolons; without it
the usual places are looked at.
"""

import os

from magnum_lite import conf
from magnum_lite.api.app import make_app

_FILES = os.environ.get('OS_MAGNUM_LITE_CONFIG_FILES', '')
application = make_app(conf.load([], config_files=_FILES.split(';') if _FILES else None))
