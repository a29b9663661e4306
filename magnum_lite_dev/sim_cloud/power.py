"""Nova's verbs for a server that boots: they do what they say, in a while."""

from magnum_lite_dev.sim_cloud import servers
from magnum_lite_dev.sim_cloud.request import Refusal, Reply

STATES = {'ACTIVE': 'active', 'SHUTOFF': 'stopped', 'ERROR': 'error'}


def act(fleet, request, row) -> Reply | None:
    """(status, reply) of ``/servers/ID/action``; None leaves the action to paper.

    :param fleet: see :class:`~magnum_lite_dev.nodes.fleet.Fleet`.
    :raises Refusal: 409, the server is in another state.
    """
    name, given = next(iter(request.body.items()))
    if name == 'os-getConsoleOutput':
        node = fleet.node(row)
        return 200, {'output': node.console((given or {}).get('length')) if node else ''}
    if name == 'os-stop':
        _demand(row, 'stop', 'ACTIVE')
        return _begin(fleet, row, 'stop', 'ACTIVE', 'powering-off')
    if name == 'os-start':
        _demand(row, 'start', 'SHUTOFF')
        return _begin(fleet, row, 'start', 'SHUTOFF', 'powering-on')
    if name == 'reboot':
        _demand(row, 'reboot', 'ACTIVE', 'SHUTOFF', 'ERROR')
        if (given or {}).get('type') == 'HARD':
            return _begin(fleet, row, 'reboot_hard', 'HARD_REBOOT', 'rebooting_hard')
        return _begin(fleet, row, 'reboot', 'REBOOT', 'rebooting')
    if name == 'rebuild':
        row['image'] = {'id': given['imageRef'], 'links': []}
        row['_boots_image'] = given['imageRef']
        _begin(fleet, row, 'rebuild', 'REBUILD', 'rebuilding')
        return 202, {'server': dict(servers.view(fleet.store, row), adminPass='sim')}  # noqa: S106
    return None


def _demand(row, verb, *states) -> None:
    if row['_task'] or row['_status'] not in states:
        state = row['_task'] or STATES.get(row['_status'], row['_status'].lower())
        what = 'task_state' if row['_task'] else 'vm_state'
        raise Refusal(409, f"Cannot '{verb}' instance {row['id']} while it is in {what} {state}")


def _begin(fleet, row, verb, status, task) -> Reply:
    row.update(_status=status, _task=task)
    fleet.act(row, verb)
    return 202, None
