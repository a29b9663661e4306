"""Just enough identity: a stack-domain user's password buys the token its node signals with."""

from magnum_lite_dev.sim_cloud.request import Refusal, Reply, now

# Kept beside the rest of the cloud: nodes that boot after a restart still know their password.
TABLE = 'stack-users'


def handle(cloud, request) -> Reply:
    """(status, reply) of the identity API; a third element holds headers.

    :raises Refusal: 401, wrong user or password.
    """
    if request.path[-2:] != ('auth', 'tokens') or request.method != 'POST':
        raise request.unknown()
    asked = request.body['auth']
    given = asked['identity']['password']['user']
    user = next(
        (
            row
            for row in cloud.store.rows(TABLE)
            if given.get('id') == row['id'] or given.get('name') == row['name']
        ),
        None,
    )
    if user is None or user['password'] != given.get('password'):
        raise Refusal(401, 'The request you have made requires authentication.')
    project = asked.get('scope', {}).get('project', {}).get('id') or user['project']
    token = {
        'methods': ['password'],
        'issued_at': now(),
        'user': {'id': user['id']},
        'expires_at': '2099-01-01T00:00:00.000000Z',
        'project': {'id': project},
    }
    return 201, {'token': token}, {'X-Subject-Token': f'{user["id"]}:{project}:heat_stack_user'}
