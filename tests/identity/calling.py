"""A driver whose nodes call the cloud."""

import json

from keystoneauth1 import session
from keystoneauth1.identity import v3

from magnum_lite.driver_sdk import APPLICATION_CREDENTIAL, Plan, Stack
from magnum_lite_dev.rig.tiny import BASE, Tiny

SERVER = {
    'type': 'OS::Nova::Server',
    'depends_on': 'subnet',
    'properties': {
        'image': 'debian-13',
        'flavor': 'm1.small',
        'networks': [{'network': {'get_resource': 'network'}}],
        'user_data_format': 'RAW',
        'user_data': {
            'str_replace': {
                'template': '{"url": "URL", "id": "IDENT", "secret": "SECRET"}',
                'params': {
                    'URL': {'get_param': 'url'},
                    'IDENT': {'get_param': 'ident'},
                    'SECRET': {'get_param': 'secret'},
                },
            }
        },
    },
}


class Calling(Tiny):
    """Has a node that calls the cloud."""

    capabilities = Tiny.capabilities | {'application_credential'}

    def plan(self, spec, /):
        """The base stack with a server that knows the credential."""
        base, *groups = super().plan(spec)
        template = {
            **BASE,
            'parameters': {
                **BASE['parameters'],
                'url': {'type': 'string'},
                'ident': {'type': 'string', 'hidden': True},
                'secret': {'type': 'string', 'hidden': True},
            },
        }
        template['resources'] = {**BASE['resources'], 'node': SERVER}
        ident, secret = (spec.secrets[name] for name in APPLICATION_CREDENTIAL)
        return Plan(
            (
                Stack(
                    key=base.key,
                    name=base.name,
                    node_group=base.node_group,
                    template=json.dumps(template),
                    parameters={
                        **base.parameters,
                        'url': spec.auth_url,
                        'ident': ident,
                        'secret': secret,
                    },
                ),
                *groups,
            )
        )


def log_in(told):
    """A session as a node opens it, with a token."""
    opened = session.Session(
        v3.ApplicationCredential(
            told['url'],
            application_credential_id=told['id'],
            application_credential_secret=told['secret'],
        )
    )
    assert opened.get_token()
    return opened
