"""Users of a real Keystone."""

from magnum_lite_dev.rig.client import Client


class Tenant(Client):
    """Somebody with a password, whose client buys a new token when the old one has run out."""

    def __init__(self, service, user, project):
        super().__init__(service.url, '')
        self.keystone = service.keystone
        self.session = service.keystone.session(user, project)
        self.user_id = self.session.get_user_id()

    def __call__(self, *arguments, **more):
        """As ``Client``."""
        self._session.headers['X-Auth-Token'] = self.session.get_token()
        return super().__call__(*arguments, **more)

    def wait(self, *arguments, **more):
        """As ``Client``."""
        return super().wait(*arguments, **{'within_s': 200, **more})

    def gone(self, *arguments, **more):
        """As ``Client``."""
        self._session.headers['X-Auth-Token'] = self.session.get_token()
        super().gone(*arguments, **more)

    def stacks(self):
        """{name: status} of the stacks in the project; of all projects for an administrator."""
        found = self.session.get('/stacks', endpoint_filter={'service_type': 'orchestration'})
        # Heat lists a stack that is gone for a moment longer.
        return {
            stack['stack_name']: stack['stack_status']
            for stack in found.json()['stacks']
            if stack['stack_status'] != 'DELETE_COMPLETE'
        }

    def trusts_to(self, user):
        """Ids of the trusts by this user to a service user."""
        trustee = self.keystone.user(user)
        return [
            trust.id
            for trust in self.keystone.admin.trusts.list(trustor_user=self.user_id)
            if trust.trustee_user_id == trustee
        ]
