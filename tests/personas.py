"""Who may do what, as users see it: a row for each endpoint, asked by each persona.

The personas: an admin of another project; the owner of a cluster; a member and a reader of its
project; a member of another project; somebody of the project without a role. For who may not, the
answer is 403; what another project has, is not there: its lists are empty and its items 404.
"""

from dataclasses import dataclass
from typing import Any

ADMIN, OWNER, MEMBER, READER = 'admin', 'owner', 'member', 'reader'
STRANGER, NOBODY = 'stranger', 'nobody'
PERSONAS = (ADMIN, OWNER, MEMBER, READER, STRANGER, NOBODY)
READERS = (ADMIN, OWNER, MEMBER, READER)
MEMBERS = (ADMIN, OWNER, MEMBER)
ALL = (*READERS, STRANGER, NOBODY)


@dataclass(frozen=True)
class Row:
    """One endpoint.

    :ivar allowed: who may.
    :ivar status: what they are answered.
    :ivar stranger: what a member of another project is answered.
    """

    allowed: tuple[str, ...]
    status: int = 200
    stranger: int = 404
    body: Any = None

    def expected(self, persona):
        """The status that a persona is answered."""
        if persona in self.allowed:
            return self.status
        return self.stranger if persona == STRANGER else 403


NO_CSR = {'cluster_uuid': '{cluster}', 'csr': 'x'}
TEMPLATE = {
    'coe': 'kubernetes',
    'image_id': 'debian-13',
    'flavor_id': 'm1.small',
    'master_flavor_id': 'm1.small',
}
TABLE = {
    ('GET', '/'): Row(ALL, stranger=200),
    ('GET', '/v1'): Row(ALL, stranger=200),
    ('POST', '/enrolments'): Row(
        (),
        stranger=403,
        body={
            'cluster': '{cluster}',
            'server': '00000000-0000-4000-8000-000000000000',
            'proof': 'f' * 64,
        },
    ),
    ('POST', '/enrolments/reports'): Row(
        (),
        stranger=403,
        body={
            'cluster': '{cluster}',
            'server': '00000000-0000-4000-8000-000000000000',
            'proof': 'f' * 64,
            'status': 'SUCCESS',
        },
    ),
    ('GET', '/openapi.json'): Row(ALL, stranger=200),
    ('GET', '/clusters'): Row(READERS, stranger=200),
    ('GET', '/clusters/detail'): Row(READERS, stranger=200),
    ('POST', '/clusters'): Row(MEMBERS, 202, body={'cluster_template_id': '{template}'}),
    ('GET', '/clusters/{cluster}'): Row(READERS),
    ('PATCH', '/clusters/{cluster}'): Row(
        MEMBERS, 202, body=[{'op': 'replace', 'path': '/node_count', 'value': 2}]
    ),
    ('DELETE', '/clusters/{cluster}'): Row(MEMBERS, 204),
    ('POST', '/clusters/{cluster}/actions/resize'): Row(MEMBERS, 202, body={'node_count': 2}),
    # The driver of these tests can neither upgrade nor rotate.
    ('POST', '/clusters/{cluster}/actions/upgrade'): Row(
        MEMBERS, 400, body={'cluster_template': '{template}'}
    ),
    ('GET', '/clusters/{cluster}/operations'): Row(READERS),
    ('GET', '/clusters/{cluster}/operations/{operation}'): Row(READERS),
    ('GET', '/clusters/{cluster}/nodegroups'): Row(READERS),
    ('GET', '/clusters/{cluster}/nodegroups/{nodegroup}'): Row(READERS),
    ('POST', '/clusters/{cluster}/nodegroups'): Row(MEMBERS, 202, body={'name': 'more'}),
    ('PATCH', '/clusters/{cluster}/nodegroups/{nodegroup}'): Row(
        MEMBERS, 202, body=[{'op': 'replace', 'path': '/max_node_count', 'value': 9}]
    ),
    # A default group is deleted with its cluster only.
    ('DELETE', '/clusters/{cluster}/nodegroups/{nodegroup}'): Row(MEMBERS, 400),
    ('GET', '/clustertemplates'): Row(READERS, stranger=200),
    ('GET', '/clustertemplates/detail'): Row(READERS, stranger=200),
    ('POST', '/clustertemplates'): Row((*MEMBERS, STRANGER), 201, body=TEMPLATE),
    ('GET', '/clustertemplates/{template}'): Row(READERS),
    ('PATCH', '/clustertemplates/{template}'): Row(
        MEMBERS, body=[{'op': 'replace', 'path': '/name', 'value': 'other'}]
    ),
    ('DELETE', '/clustertemplates/{template}'): Row(MEMBERS, 400),  # a cluster is made of it
    # The authority is made by a conductor, which no test of this table has.
    ('GET', '/certificates/{cluster}'): Row((ADMIN, OWNER), 400),
    ('POST', '/certificates'): Row((ADMIN, OWNER), 400, stranger=400, body=NO_CSR),
    ('PATCH', '/certificates/{cluster}'): Row(MEMBERS, 400),
    ('PATCH', '/credentials/{cluster}'): Row(MEMBERS, 202),
    ('GET', '/drivers'): Row((*READERS, STRANGER)),
    ('GET', '/drivers/{driver}'): Row((*READERS, STRANGER)),
    # There are no federations.
    ('GET', '/federations'): Row((*READERS, STRANGER)),
    ('GET', '/federations/detail'): Row((*READERS, STRANGER)),
    ('GET', '/federations/{federation}'): Row((*READERS, STRANGER), 404),
    ('POST', '/federations'): Row((*MEMBERS, STRANGER), 400, body={}),
    ('PATCH', '/federations/{federation}'): Row((*MEMBERS, STRANGER), 404, body=[]),
    ('DELETE', '/federations/{federation}'): Row((*MEMBERS, STRANGER), 404),
    ('GET', '/mservices'): Row((ADMIN,), stranger=403),
    # Whose quota was never set has the configured one, which cannot be changed here.
    ('GET', '/quotas'): Row((ADMIN,), stranger=403),
    ('GET', '/quotas/{project}/{resource}'): Row(READERS, stranger=403),
    ('POST', '/quotas'): Row((ADMIN,), 201, 403, {'project_id': '{cluster}'}),
    ('PATCH', '/quotas/{project}/{resource}'): Row((ADMIN,), 404, 403, {'hard_limit': 5}),
    ('DELETE', '/quotas/{project}/{resource}'): Row((ADMIN,), 404, 403),
    ('GET', '/stats'): Row((*READERS, STRANGER)),
}


def filled(value, names):
    """A path or a body with ``{name}`` replaced by ids."""
    if isinstance(value, str):
        return value.format(**names)
    if isinstance(value, dict):
        return {key: filled(item, names) for key, item in value.items()}
    return value
