"""A cloud of files: a directory for each project, a file for each part of a cluster in it.

A file that is written or removed takes effect some moments later, as things in a cloud do. Any
number of processes use a directory. ``trouble`` beside the projects lets what grows fail, ``slow``
lets everything take a minute.
"""

import json
import os
import pathlib
import time
from dataclasses import dataclass, replace

from magnum_lite.driver_sdk.backend import Access, Backend, Members
from magnum_lite.driver_sdk.plan import digest_of
from magnum_lite.driver_sdk.testing.fake import Failing

BUILD_S, SLOW_S, CALL_S = 0.05, 60, 1


@dataclass(frozen=True)
class File:
    """A part as it should be; see ``driver_sdk.plan.Part``."""

    key: str
    name: str
    node_group: str
    requires: frozenset = frozenset()
    members: tuple = ()
    text: str = ''
    secret: str | None = None
    generation: int | None = None

    @property
    def digest(self):
        """Over all of it."""
        return digest_of(self.document())

    def document(self):
        """As JSON."""
        return {
            **vars(self),
            'requires': sorted(self.requires),
            'members': list(self.members),
            'secret': {'secret': self.secret} if self.secret else None,
        }


@dataclass(frozen=True)
class Found:
    """A part as it is; see ``driver_sdk.backend.Found``."""

    name: str
    status: str
    reason: str
    cluster: str
    digest: str
    attempt: str
    node_group: str
    members: tuple
    text: str
    ready_at: float
    drained: int = 0

    @property
    def in_progress(self):
        """Whether it does not have its effect yet."""
        return self.status.endswith('_IN_PROGRESS')

    @property
    def complete(self):
        """Whether it is there, at rest."""
        return self.status in ('CREATE_COMPLETE', 'UPDATE_COMPLETE')

    @property
    def failed(self):
        """Whether it grew while there was trouble."""
        return self.status.endswith('_FAILED')

    @property
    def gone(self):
        """Never shown then."""
        return False


class Files:
    """The files of one project: what its drivers are given.

    :param lease: asked before each call.
    """

    def __init__(self, directory, project, lease=None):
        self.home = pathlib.Path(directory)
        self.where = self.home / project
        self.lease = lease
        self.changes = 0
        self.seen = {}
        self.shown = {}

    def list(self, cluster=None):
        """Those of a cluster, or all."""
        if cluster in self.seen:  # once: a step that acts looks again
            found = self.seen.pop(cluster)
        else:
            self._admit()
            found = [
                file
                for path in sorted(self.where.glob('*.json'))
                if (file := self.find(path.stem)) and cluster in (None, file.cluster)
            ]
        self.shown = {file.name: file for file in found if not file.status.startswith('DELETE')}
        return found

    def find(self, name):
        """One by name, or None."""
        try:
            found = Found(**json.loads((self.where / f'{name}.json').read_text()))
        except FileNotFoundError:
            return None
        if not found.in_progress or time.time() < found.ready_at:
            return replace(found, members=tuple(found.members))
        action = found.status.partition('_')[0]
        if action == 'DELETE':
            (self.where / f'{name}.json').unlink(missing_ok=True)
            return None
        return replace(
            found,
            members=tuple(found.members),
            status=f'{action}_{"FAILED" if found.reason else "COMPLETE"}',
        )

    def write(self, cluster, attempt, part):
        """Begin to make a part what it should be."""
        self._admit()
        before = self.find(part.name)
        grows = len(part.members) > len(before.members if before else ())
        trouble = self.home / 'trouble'
        self._put(
            Found(
                part.name,
                'UPDATE_IN_PROGRESS' if before else 'CREATE_IN_PROGRESS',
                trouble.read_text() if grows and trouble.exists() else '',
                cluster,
                part.digest,
                attempt,
                part.node_group,
                part.members,
                part.text,
                self._ready_at(),
            )
        )

    def drain(self, name):
        """Take the work away from the next of its nodes."""
        self._admit()
        if found := self.find(name):
            self._put(replace(found, drained=found.drained + 1))

    def remove(self, name):
        """Begin to remove one."""
        self._admit()
        if found := self.find(name):
            self._put(
                replace(found, status='DELETE_IN_PROGRESS', reason='', ready_at=self._ready_at())
            )
            self.shown.pop(name, None)

    def _put(self, found):
        self.where.mkdir(parents=True, exist_ok=True)
        file = self.where / f'{found.name}.{os.getpid()}.{time.monotonic_ns()}'
        file.write_text(json.dumps(vars(found)))
        file.replace(self.where / f'{found.name}.json')
        self.changes += 1

    def _ready_at(self):
        return time.time() + (SLOW_S if (self.home / 'slow').exists() else BUILD_S)

    def _admit(self):
        if self.lease:
            self.lease.admit(CALL_S)


class Directory(Backend):
    """The backend: a directory. It plays the part of a test's Heat where faults are asked for."""

    title, noun = 'the directory', 'file'

    def __init__(self, home):
        self.home = pathlib.Path(home)
        self.home.mkdir(parents=True, exist_ok=True)

    def open(self, who, lease, look=None):
        """The files of a project."""
        files = Files(self.home, who['project_id'], lease)
        files.seen = dict(look or {})
        return FilesAccess(files)

    def look(self, who):
        """One look at a project."""
        found = {}
        for file in Files(self.home, who['project_id']).list():
            found.setdefault(file.cluster, []).append(file)
        return found

    def fault(self, *, message, **_):
        """Let what grows fail from now on."""
        (self.home / 'trouble').write_text(message)

    def settings(self, **_):
        """Let everything take long."""
        (self.home / 'slow').touch()

    def clear_faults(self):
        """No more of that."""
        for name in ('trouble', 'slow'):
            (self.home / name).unlink(missing_ok=True)


class FilesAccess(Access):
    """Files of a project, for a step; see ``driver_sdk.backend.Access``."""

    @property
    def changes(self):
        """How many were written or removed."""
        return self.cloud.changes

    def begins(self, cluster):
        """The next look finds nothing."""
        self.cloud.seen[cluster] = []

    def shown(self):
        """What the last look found."""
        return self.cloud.shown

    def find(self, name):
        """By name."""
        return self.cloud.find(name)

    def remove(self, names):
        """Those that are left."""
        left = [name for name in names if self.cloud.find(name)]
        for name in left:
            self.cloud.remove(name)
        return left

    def members(self, part):
        """Nodes are no servers here."""
        found = self.cloud.find(part)
        return Members(len(found.members) if found else 0)


class FailingFiles(Failing):
    """Files that record what they are asked, and fail once."""

    changing = frozenset({'write', 'drain', 'remove'})

    def list(self, cluster=None):
        """As the real ones."""
        return self._call('list', cluster)

    def find(self, name):
        """As the real ones."""
        return self._call('find', name)

    def write(self, cluster, attempt, part):
        """As the real ones."""
        self._call('write', cluster, attempt, part)

    def drain(self, name):
        """As the real ones."""
        self._call('drain', name)

    def remove(self, name):
        """As the real ones."""
        self._call('remove', name)
