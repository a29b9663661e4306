"""Microversions: what each one brought. Which one a request means is told in ``app``."""

# (number, what it brought), oldest first. Where a version gates nothing here, it says so.
VERSIONS = (
    ('1.1', 'The baseline; what a request without the header gets.'),
    ('1.2', 'Changes are asynchronous; they are at every version.'),
    ('1.3', 'PATCH of a cluster takes the query argument rollback.'),
    ('1.4', 'Statistics; not gated.'),
    ('1.5', 'Rotation of certificate authorities; not gated.'),
    ('1.6', 'Quotas; not gated.'),
    ('1.7', 'The action resize.'),
    ('1.8', 'The action upgrade.'),
    ('1.9', 'Node groups.'),
    ('1.10', 'Clusters without workers; an unknown template on create is 404 instead of 400.'),
    ('1.11', 'Bays and bay models are gone; they are at no version.'),
    ('1.12', 'Credentials.'),
    ('1.13', 'A cluster shows cluster_id, the same as stack_id.'),
    ('1.14', 'Labels and taints of the nodes of a node group; not gated.'),
)
Version = tuple[int, int]
HEADER = 'OpenStack-API-Version'
NAME = 'container-infrastructure-management'
ALIASES = ('container-infra', 'container-infrastructure', NAME)


def number(text: str) -> Version:
    """``(major, minor)`` of ``'major.minor'``."""
    major, minor = text.split('.')
    return int(major), int(minor)


OLDEST, NEWEST = VERSIONS[0][0], VERSIONS[-1][0]
RANGE = number(OLDEST), number(NEWEST)
