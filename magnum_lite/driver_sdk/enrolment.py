"""How a node fetches its secrets instead of finding them in its user data.

The node makes a random text, writes ``MARK`` and the text's SHA-256 (hexadecimal) on its console,
and posts ``{'cluster': uuid, 'server': its id, 'proof': the text}`` as JSON to ``PATH`` below
``ClusterSpec.enrolment_url``, again with the same text until it is answered with 201 and
``{'secrets': {purpose: text}}``. Its server carries the metadata ``GROUP_KEY``.

It reports how its boot ended as ``{'cluster':, 'server':, 'proof':, 'status': 'SUCCESS' or
'FAILURE', 'reason':, 'data':}`` to ``PATH`` + ``REPORTS``. The service signals the resource
``HANDLE`` of the stack that has the server, so that the node needs no credential of Heat's.

A node of the control plane is given all secrets of the cluster, any other those of the purposes
``JOIN``.
"""

MARK = 'magnum-lite enrolment'
PATH = '/v1/enrolments'
REPORTS = '/reports'
HANDLE = 'handle'
GROUP_KEY = 'magnum_lite_node_group'
# Purposes of secrets that every node needs to join: this one, and those that begin with it and a
# dot. All others are for nodes of the control plane.
JOIN = 'bootstrap'


def joins(purpose: str) -> bool:
    """Whether every node of a cluster may have the secret of a purpose."""
    return purpose.partition('.')[0] == JOIN
