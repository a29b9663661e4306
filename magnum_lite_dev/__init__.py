"""The embedded default: magnum_lite on one machine, beside a real Heat engine and no cloud.

Nothing in ``magnum_lite`` knows this package. It is for demonstrations, development and tests;
everything it starts listens on the loopback address only.
"""

import magnum_lite  # noqa: F401 - before libraries that warn of what nobody here can change
