"""Keystone application credentials: what the nodes of a cluster authenticate with at the cloud.

They are restricted: with one, nobody makes trusts or further credentials. Keystone deletes them
with their user, their project or the role that they give.
"""

import datetime
import uuid
from collections.abc import Sequence

from oslo_config import cfg

from magnum_lite.cloud.keystone import REFUSALS, Keystone
from magnum_lite.context import RequestContext
from magnum_lite.db import ledger
from magnum_lite.db.store import utcnow
from magnum_lite.delegation.form import Delegation, Form
from magnum_lite.driver_sdk import APPLICATION_CREDENTIAL
from magnum_lite.exceptions import CredentialRefused

_PREFIX = 'magnum-lite-'  # a user who lists their credentials sees whose it is


class ApplicationCredentials(Form):
    """Those that this service made. Ids and names are ``<user>/<id>`` and ``<user>/<mark>``:
    Keystone keeps the credentials of each user apart."""

    word = ledger.APPLICATION_CREDENTIAL
    noun = 'application credential'

    def __init__(self, conf: cfg.ConfigOpts, keystone: Keystone):
        self._options = conf.identity
        self._keystone = keystone

    def name(self, context: RequestContext) -> str:
        """A new mark of the caller's."""
        return f'{context.user_id}/{uuid.uuid4().hex}'

    def make(self, context: RequestContext, name: str) -> Delegation:
        """Let others act for the caller in the project of its token, with few of its roles."""
        user, _, mark = name.partition('/')
        expires_at = utcnow() + datetime.timedelta(days=self._options.node_credential_days)
        body = {
            'application_credential': {
                'name': f'{_PREFIX}{mark}',
                'description': 'For the nodes of a container cluster.',
                'roles': [{'id': role} for role in self._roles(context)],
                'expires_at': f'{expires_at:%Y-%m-%dT%H:%M:%S.000000Z}',
                'unrestricted': False,
            }
        }
        try:
            with self._keystone.of_caller(context) as keystone:
                made = keystone.post(_path(user), json=body).json()['application_credential']
        except REFUSALS as error:
            raise CredentialRefused(reason=f'Keystone says: {error.message}') from error
        return Delegation(
            f'{user}/{made["id"]}',
            dict(zip(APPLICATION_CREDENTIAL, (made['id'], made['secret']), strict=True)),
            f'its nodes use {self.noun} {made["id"]} of user {user}, which ends '
            f'{expires_at:%Y-%m-%d}',
        )

    def revoke(self, context: RequestContext, made: Delegation) -> None:
        """Delete one with the token that made it."""
        self._keystone.delete_for(context, _path(*made.id.split('/')))

    def find(self, name: str) -> str | None:
        """The one of that user with that mark."""
        user, _, mark = name.partition('/')
        found = self._keystone.look(_path(user), name=f'{_PREFIX}{mark}')
        rows = found['application_credentials'] if found else []
        return f'{user}/{rows[0]["id"]}' if rows else None

    def delete(self, ident: str) -> str | None:
        """By the service user, who has to be an administrator: Keystone lets no trust do it."""
        return self._keystone.delete(_path(*ident.split('/')))

    def _roles(self, context: RequestContext) -> Sequence[str]:
        access = context.token_auth.user
        roles = [
            role
            for role, name in zip(access.role_ids, access.role_names, strict=True)
            if name in self._options.node_roles
        ]
        if not roles:
            raise CredentialRefused(
                reason=f'your token has none of the roles {", ".join(self._options.node_roles)}'
            )
        return roles


def _path(user: str, *credential: str) -> str:
    return '/'.join((f'/users/{user}/application_credentials', *credential))
