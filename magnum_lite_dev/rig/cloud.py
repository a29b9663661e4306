"""The simulated cloud alone, in this process: for those that look things up and build nothing."""

import contextlib
from collections.abc import Iterator

from magnum_lite_dev.server import Server
from magnum_lite_dev.sim_cloud import SimCloud

# The discard port: nobody answers.
SILENT = 'http://127.0.0.1:9/%(project_id)s'


@contextlib.contextmanager
def running_cloud() -> Iterator[dict[str, str]]:
    """Serve a simulated cloud beside which there is no Heat; stopped at the end.

    :returns: context manager with {service type: URL}, as ``[development] catalog`` wants it.
    """
    server = Server(SimCloud(), 0, name='sim-cloud')
    try:
        yield {
            'orchestration': SILENT,
            **{
                name: f'{server.url}/{path}'
                for name, path in (
                    ('compute', 'compute/v2.1'),
                    ('network', 'network'),
                    ('image', 'image'),
                )
            },
        }
    finally:
        server.close()
