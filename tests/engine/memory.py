"""A Heat of a few lines, whose stacks are complete at the next look, and which fails as told."""

import itertools
import json
import threading
import types

from magnum_lite.driver_sdk import Cause, CloudUnavailable, StackView


class MemoryHeat:
    """See ``driver_sdk.Heat``.

    :ivar catalog: of the cloud; nothing else is in it.
    :ivar fault: called with the name of each call's method; may raise.
    :ivar calls: the names of all calls' methods.
    :ivar undeletable: names of stacks whose deletion fails.
    """

    catalog = types.MappingProxyType({})

    def __init__(self):
        self.fault = lambda method: None
        self.calls = []
        self.made = []
        self.undeletable = set()
        self._ids = itertools.count(1)
        self._stacks = {}
        self._lock = threading.Lock()

    @property
    def there(self):
        """All stacks as they are: to look at them ends nothing."""
        return list(self._stacks.values())

    def become(self, name, status):
        """Let a stack have another status."""
        for view in self.there:
            if view.name == name:
                self._stacks[view.id] = self._with(view, status)

    def _call(self, method):
        self.calls.append(method)
        self.fault(method)

    def list(self, tag):
        """All of a tag; what was in progress is complete afterwards."""
        self._call('list')
        with self._lock:
            found = [view for view in self._stacks.values() if tag in view.tags]
            for view in found:
                self._settle(view)
        return found

    def _settle(self, view):
        action = view.status.split('_')[0]
        if not view.in_progress:
            return
        if action == 'DELETE' and view.name not in self.undeletable:
            del self._stacks[view.id]
        else:
            outcome = 'FAILED' if action == 'DELETE' else 'COMPLETE'
            self._stacks[view.id] = self._with(view, f'{action}_{outcome}')

    @staticmethod
    def _with(view, status, **values):
        return StackView(**{**vars(view), 'status': status, **values})

    def get(self, stack):
        """By id or name, with the outputs that its template has."""
        self._call('get')
        return next((view for view in self._stacks.values() if stack in (view.id, view.name)), None)

    def create(self, name, arguments, tags):
        """One that is in progress."""
        self._call('create')
        ident = f'stack-{next(self._ids)}'
        outputs = {
            name: ['a'] if name.endswith('addresses') else {} if name == 'refs_map' else name
            for name in json.loads(arguments['template'])['outputs']
        }
        with self._lock:
            self.made.append(name)
            self._stacks[ident] = StackView(
                ident, name, 'CREATE_IN_PROGRESS', 'begun', frozenset(tags), outputs
            )
        return ident

    def update(self, stack, arguments, tags):
        """One that is in progress."""
        self._call('update')
        with self._lock:
            self._stacks[stack] = self._with(
                self._stacks[stack], 'UPDATE_IN_PROGRESS', tags=frozenset(tags)
            )

    def refresh(self, stack, tags):
        """As ``update``."""
        self._call('refresh')
        with self._lock:
            self._stacks[stack] = self._with(
                self._stacks[stack], 'UPDATE_IN_PROGRESS', tags=frozenset(tags)
            )

    def delete(self, stack):
        """Begin it."""
        self._call('delete')
        with self._lock:
            if stack in self._stacks:
                self._stacks[stack] = self._with(self._stacks[stack], 'DELETE_IN_PROGRESS')

    def failures(self, stack):
        """What a stack says whose deletion fails; of others no more than they say themselves."""
        self._call('failures')
        return [
            Cause('network', 'OS::Neutron::Net', view.status, 'it is in use')
            for view in self._stacks.values()
            if view.id == stack and view.name in self.undeletable
        ]


def away(method):
    """The fault of a Heat that is not there."""
    raise CloudUnavailable('Heat answered 503 Service Unavailable')
