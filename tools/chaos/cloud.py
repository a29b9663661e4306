"""The cloud behind the service: a real Heat, with a real Keystone or without, and their doors."""

import contextlib
import copy
import dataclasses
from dataclasses import dataclass

from magnum_lite_dev.fixture import running_heat
from magnum_lite_dev.keystone_process import RunningKeystone, running_keystone
from magnum_lite_dev.rig.doors import Door, before
from tools.chaos import world
from tools.chaos.http_door import HttpDoor

IDENTITIES = ('keystone', 'development')


@dataclass
class Cloud:
    """What runs.

    :ivar heat: a ``RunningHeat`` as the service sees it, through its door.
    :ivar keystone: likewise; None without.
    :ivar doors: {name: (door, kinds of faults that it is spared)}.
    :ivar projects: {name: id}; each has a user of its name.
    """

    heat: object
    keystone: RunningKeystone | None
    doors: dict[str, tuple[Door, tuple[str, ...]]]
    projects: dict
    _past: object
    _sessions: dict

    def token(self, project):
        """A token of the user of a project, made past all doors."""
        session = self._sessions.get(project)
        return session.get_token() if session else f'{project}:{project}:member,reader'

    def look(self):
        """What a ``World`` shows of it, as keywords; ``cloud`` is the size of everything."""
        state = self._past[0].state()
        found = {
            'servers': world.servers(state),
            'cloud': world.sizes(state),
            'stacks': {
                name: world.stacks(self._past[0], self.token(name), ident)
                for name, ident in self.projects.items()
            },
        }
        if self.keystone:
            keystone = self._past[1]
            found['lent'] = world.lent(
                keystone, keystone.user('magnum'), map(keystone.user, self.projects)
            )
            found['cloud']['trusts of Heat'] = len(
                keystone.admin.trusts.list(trustee_user=keystone.user('heat'))
            )
        return found


@contextlib.contextmanager
def running_cloud(path, broker, identity, names):
    """A Heat that tells a broker of what happens; stopped at the end.

    :param path: an empty directory for all files.
    :param identity: one of ``IDENTITIES``: who vouches for callers.
    :param names: of projects, each with a user of the same name.
    :returns: context manager with a ``Cloud``.
    """
    with contextlib.ExitStack() as stack:
        enter = stack.enter_context
        keystone = enter(running_keystone(path / 'keystone')) if identity == 'keystone' else None
        heat = enter(
            running_heat(
                path / 'heat',
                transport_url=broker,
                topics='magnum_lite_heat',
                keystone_url=keystone and keystone.url,
            )
        )
        door, url = before(enter, HttpDoor, heat.heat_url)
        catalog = {kind: where.replace(heat.heat_url, url) for kind, where in heat.catalog.items()}
        doors, projects, sessions = {'heat': (door, ())}, {name: name for name in names}, {}
        vouching = None
        if keystone:
            for name in names:
                keystone.user(name, name, 'member')
                sessions[name] = keystone.session(name, name)
            projects = {name: keystone.project(name) for name in names}
            # What arrives twice makes two trusts, as Keystone says.
            door, vouching = _keystone_door(enter, keystone)
            doors['keystone'] = door, ('double',)
            # Heat asks for block storage under its older name.
            keystone.endpoints({**catalog, 'volumev3': catalog['block-storage']})
        yield Cloud(
            dataclasses.replace(heat, catalog=catalog),
            vouching,
            doors,
            projects,
            (heat, keystone),
            sessions,
        )


def _keystone_door(enter, keystone):
    """(a door before Keystone for this service alone, Keystone through it)."""
    door, url = before(enter, HttpDoor, keystone.url)
    # Heat asks the public endpoints.
    (identity,) = keystone.admin.services.list(type='identity')
    (internal,) = keystone.admin.endpoints.list(service=identity, interface='internal')
    keystone.admin.endpoints.update(internal, url=url)
    vouching = copy.copy(keystone)
    vouching.url = url
    return door, vouching
