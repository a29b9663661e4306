"""How a node of the control plane fetches its secrets instead of finding them in its user data.

The node makes a random text, writes ``MARK`` and the text's SHA-256 (hexadecimal) on its console,
and posts ``{'cluster': uuid, 'server': its id, 'proof': the text}`` as JSON to ``PATH`` below
``ClusterSpec.enrolment_url``, again with the same text until it is answered with 201 and
``{'secrets': {purpose: text}}``. Its server carries the metadata ``GROUP_KEY``.
"""

MARK = 'magnum-lite enrolment'
PATH = '/v1/enrolments'
GROUP_KEY = 'magnum_lite_node_group'
