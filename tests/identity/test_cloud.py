"""The simulated cloud behind a real Keystone."""

import openstack
import pytest

pytestmark = pytest.mark.keystone


def connect(keystone, user, project):
    """The cloud as this user sees it, with a token of its own."""
    keystone.user(user, project, 'member')
    return openstack.connection.Connection(session=keystone.session(user, project)).compute


@pytest.mark.filterwarnings('ignore::openstack.warnings.RemovedInSDK60Warning')
def test_a_key_pair_belongs_to_a_user_and_not_to_a_token(keystone, project):
    ann = f'ann-{project}'
    made = connect(keystone, ann, project).create_keypair(name='hers')
    assert connect(keystone, ann, project).get_keypair('hers').public_key == made.public_key
    assert connect(keystone, f'bob-{project}', project).find_keypair('hers') is None
