"""``application`` for the web server; the only module that acts when it is imported.

``OS_MAGNUM_LITE_CONFIG_FILES`` names the configuration files, separated by semicolons; without it
the usual places are looked at.
"""

import os

from magnum_lite import conf as options
from magnum_lite.api.app import make_app
from magnum_lite.secrets import keyfile

_FILES = os.environ.get('OS_MAGNUM_LITE_CONFIG_FILES', '')
_CONF = options.load([], config_files=_FILES.split(';') if _FILES else None)
keyfile.read(_CONF.secrets.key_file)     # refused here, rather than at the first cluster
application = make_app(_CONF)
