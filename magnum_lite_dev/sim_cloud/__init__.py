"""A simulated cloud: one WSGI application that answers the REST APIs that Heat and the service ask.

Compute, network, image, block storage and load balancer are simulated well enough for unmodified
clients; servers boot as simulated nodes that really send the Heat signal found in their user
data. Not simulated: object storage, visibility by project, anything inside a node. It refuses what
real services refuse; ``tests/refusals.py`` asks both.
"""

from magnum_lite_dev.sim_cloud.app import SimCloud

__all__ = ['SimCloud']
