"""The driver Tiny without Heat: its clusters are files, a base and one for each generation of a
group of workers."""

import json

from magnum_lite.driver_sdk import (
    DONE,
    Cause,
    Done,
    Driver,
    Failed,
    Plan,
    Rejected,
    Status,
    Waiting,
    envfile,
)
from magnum_lite.driver_sdk.cause import explain
from magnum_lite_dev.rig.tiny import MOST, Indexes, Tiny
from tests.engine.files import Directory, File


class TinyFiles(Driver):
    """Makes files where Tiny makes stacks; all else is the same.

    :param directory: where.
    """

    name, version, coe = Tiny.name, Tiny.version, Tiny.coe
    server_types, distros = Tiny.server_types, Tiny.distros
    capabilities, contract = Tiny.capabilities | {'surge'}, (1, 1)
    config_schema, authorities, tokens = Tiny.config_schema, Tiny.authorities, Tiny.tokens
    upgrades_from = ('tiny-0',)
    failure = ('file-failed', 'file')  # code of one, and what its text has

    def __init__(self, directory='/nowhere'):
        if directory != '/nowhere':
            self.backend = Directory(directory)

    def get_default_config(self):
        """As Tiny's."""
        return Tiny().get_default_config()

    def validate(self, spec, /):
        """As Tiny."""
        if spec.node_count > MOST:
            raise Rejected('node_count', f'at most {MOST} nodes are accepted')
        if spec.config['cidr'] == 'refused':
            raise Rejected('labels.cidr', 'refused is not accepted, a CIDR is')

    def create_dry_run(self, spec, /):
        """A base, then the groups."""
        secret = None if spec.enrolment_url else spec.secrets['ca.kubernetes.key'].ref
        base = File(
            'base',
            f'tiny-{spec.uuid}',
            spec.control_plane.uuid,
            members=_members(spec.control_plane),
            secret=secret,
            text=_boot(spec, spec.control_plane),
        )
        groups = [
            File(
                f'{group.uuid}-{group.generation}',
                _name(spec, group),
                group.uuid,
                frozenset({'base'}),
                _members(group),
                _boot(spec, group),
                generation=group.generation,
            )
            for group in spec.worker_generations
        ]
        return Plan((base, *groups))

    update_dry_run = create_dry_run

    def create(self, cloud, spec, /):
        """Writes what differs, the base first, and removes what is left over, last."""
        plan, there = self.create_dry_run(spec), self._there(cloud, spec)
        ready, waiting = set(), []
        for part in plan:
            found = there.get(part.name)
            in_focus = spec.focus in (None, part.node_group) and spec.builds(
                part.node_group, part.generation
            )
            if found and (found.complete and found.digest == part.digest or not in_focus):
                ready.add(part.key)
            elif found and found.in_progress:
                waiting.append(part.name)
            elif found and (found.attempt, found.digest) == (spec.attempt, part.digest):
                cause = Cause(part.key, 'file', found.status, found.reason, part=part.name)
                return Failed('file-failed', explain('not written', [cause], ''), (cause,))
            elif in_focus or part.key == 'base':
                if part.requires <= ready:
                    cloud.write(spec.uuid, spec.attempt, part)
                waiting.append(part.name)
        if waiting:
            return Waiting(f'{len(ready)} files are complete, next {waiting[0]}')
        for part in plan:
            found = there.get(part.name)
            if (
                found
                and part.generation in spec.going.get(part.node_group, ())
                and found.drained < len(found.members)
            ):
                cloud.drain(found.name)
                return Waiting(
                    f'draining {found.name}',
                    0,
                    phase='drain',
                    done=found.drained + 1,
                    total=len(found.members),
                )
        return self._remove(
            cloud, [there[name] for name in there.keys() - {part.name for part in plan}]
        )

    update = upgrade = rotate_ca = create

    def delete(self, cloud, spec, /):
        """The groups first."""
        there = self._there(cloud, spec)
        base = there.pop(f'tiny-{spec.uuid}', None)
        progress = self._remove(cloud, list(there.values()))
        return self._remove(cloud, [base]) if base and isinstance(progress, Done) else progress

    def get_status(self, cloud, spec, /):
        """What the files say."""
        there, plan = self._there(cloud, spec), self.create_dry_run(spec)
        nodes = {
            part.key: {str(index): _node(part, index) for index in there[part.name].members}
            for part in plan
            if part.name in there
        }
        built = {
            part.node_group: part
            for part in plan
            if part.name in there and spec.builds(part.node_group, part.generation)
        }
        groups = {uuid: there[part.name] for uuid, part in built.items()}
        states = {uuid: _state(file) for uuid, file in groups.items()}
        base = there.get(f'tiny-{spec.uuid}')
        worst = (
            min(states.values(), default='ABSENT', key=['FAILED', 'IN_PROGRESS', 'COMPLETE'].index)
            if states
            else 'ABSENT'
        )
        return Status(
            state=worst,
            backend_id=base and base.name,
            coe_version=base and 'tiny-1',
            api_address=base and 'https://tiny:6443',
            group_states=states,
            group_backend_ids={uuid: file.name for uuid, file in groups.items()},
            group_addresses={
                uuid: tuple(
                    node
                    for part in plan
                    if part.node_group == uuid
                    for node in nodes.get(part.key, {}).values()
                )
                for uuid in groups
            },
            group_members={uuid: nodes[part.key] for uuid, part in built.items()},
        )

    def get_scale_manager(self, cloud, spec, /):
        """As Tiny's."""
        return Indexes()

    def _there(self, cloud, spec):
        return {file.name: file for file in cloud.list(spec.uuid)}

    def _remove(self, cloud, files):
        for file in files:
            if not file.status.startswith('DELETE'):
                cloud.remove(file.name)
        return Waiting(f'files being deleted: {len(files)}') if files else DONE


def _name(spec, group):
    """Of the file of a generation; the first has no number."""
    suffix = f'-{group.generation}' if group.generation > 1 else ''
    return f'tiny-{spec.uuid}-{group.uuid[:8]}{suffix}'


def _node(part, index):
    """The id of a node; those of the first generation have no number of it."""
    number = f'{part.generation}-' if (part.generation or 1) > 1 else ''
    return f'{part.node_group[:8]}-{number}{index}'


def _members(group):
    """Indexes of the nodes of a group."""
    found = (index for index in range(MOST * 2) if index not in group.removed)
    return tuple(index for index, _ in zip(found, range(group.node_count), strict=False))


def _boot(spec, group):
    """What a node of a group is given: no text of a user's becomes code."""
    text = envfile.render(
        {
            'CLUSTER': spec.name,
            'GROUP': group.name,
            'IMAGE': group.image,
            'CIDR': spec.config['cidr'],
            **_authorities(spec, group),
        }
    )
    return '#cloud-config\n' + json.dumps(
        {'write_files': [{'path': '/etc/tiny.env', 'content': text}]}
    )


def _authorities(spec, group):
    """What a node trusts; where the control plane runs, what signs too."""
    trusted = {'TRUSTS': spec.secrets['ca.kubernetes.trusted'].ref}
    return trusted | (
        {'SIGNS': spec.secrets['ca.kubernetes.cert'].ref} if group.is_control_plane else {}
    )


def _state(file):
    return 'FAILED' if file.failed else 'COMPLETE' if file.complete else 'IN_PROGRESS'
