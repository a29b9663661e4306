"""How a node fetches its secrets instead of finding them in its user data.

The node makes a random text and posts the text's SHA-256 (hexadecimal) to ``PASSWORD`` of its
metadata service: Nova keeps it as the password of the server, and takes only one. Then the node
posts ``{'cluster': uuid, 'server': its id, 'proof': the text}`` as JSON to ``PATH`` below
``ClusterSpec.enrolment_url``, again with the same text until it is answered with 201 and
``{'secrets': {purpose: text}}``. Its server carries the metadata ``GROUP_KEY``.

It reports how its boot ended as ``{'cluster':, 'server':, 'proof':, 'status': 'SUCCESS' or
'FAILURE', 'reason':, 'data':}`` to ``PATH`` + ``REPORTS``. The service signals the resource
``HANDLE`` of the stack that has the server, so that the node needs no credential of Heat's.

A node of the control plane is given all secrets of the cluster, and what signs and is trusted at
that moment, as ``ca.<purpose>.key``, ``.cert``, ``.trusted`` and ``.cross``: its user data may be
from before a rotation of the authorities. Any other is given those of the purposes ``JOIN``; where
the driver has a ``join_certificate``, a client certificate of its own in their place, as the
secrets ``JOIN_CERTIFICATE`` and ``JOIN_KEY`` (PEM), and what is trusted of its authority.
"""

PASSWORD = '/openstack/latest/password'  # noqa: S105 - a path
PATH = '/v1/enrolments'
REPORTS = '/reports'
HANDLE = 'handle'
GROUP_KEY = 'magnum_lite_node_group'
# Purposes of secrets that every node needs to join: this one, and those that begin with it and a
# dot. All others are for nodes of the control plane.
JOIN = 'bootstrap'
JOIN_CERTIFICATE, JOIN_KEY = 'bootstrap.cert', 'bootstrap.key'


def joins(purpose: str) -> bool:
    """Whether every node of a cluster may have the secret of a purpose."""
    return purpose.partition('.')[0] == JOIN
