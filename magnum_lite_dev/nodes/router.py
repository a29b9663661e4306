"""One router of Neutron: a namespace between networks, with floating IPs outside."""

from magnum_lite_dev.nodes import namespace
from magnum_lite_dev.nodes.command import links, run
from magnum_lite_dev.nodes.switch import plug

FORWARDS = 'net.ipv4.ip_forward=1'


class Router:
    """A router that is there.

    :param edge: the :class:`~magnum_lite_dev.nodes.edge.Edge` of the external network.
    """

    def __init__(self, router_id, owner, edge) -> None:
        self.name = namespace.name(owner, 'router', router_id)
        self._owner = owner
        self._edge = edge
        self._end = f'r{router_id[:11]}'
        self._plan = None

    def settle(self, plan) -> None:
        """Be as the :class:`~magnum_lite_dev.nodes.plan.Router` says."""
        if plan == self._plan:
            return
        before = self._plan
        if before is None or (before.legs, before.outer) != (plan.legs, plan.outer):
            self._wire(plan)
            before = None
        known = before.floating if before else ()
        lines = [f'addr del {out}/32 dev ext' for out, _ in known if (out, _) not in plan.floating]
        lines += [f'addr add {out}/32 dev ext' for out, _ in plan.floating if (out, _) not in known]
        if lines and plan.outer:
            links(self.name, *lines)
        if plan.outer:
            run('ip', 'netns', 'exec', self.name, 'iptables-restore', given=translations(plan))
        for destination, hop in plan.routes:
            links(self.name, f'route replace {destination} via {hop}')
        self._plan = plan

    def _wire(self, plan) -> None:
        self.close()
        namespace.add(self.name)
        run('ip', 'netns', 'exec', self.name, 'sysctl', '-qw', FORWARDS)
        for number, leg in enumerate(plan.legs):
            switch = namespace.name(self._owner, 'net', leg.network)
            plug(switch, f'r{leg.port[:11]}', self.name, f'in{number}', mac=leg.mac, mtu=leg.mtu)
            links(
                self.name,
                *(f'addr add {address} dev in{number}' for address in leg.addresses),
                f'link set in{number} up',
            )
        if plan.outer:
            self._edge.plug(self._end, self.name, plan.outer)
        # Who asks for what is not there hears it at once.
        links(self.name, 'route add unreachable default')

    def close(self) -> None:
        """Be gone, and its cables with it."""
        namespace.remove(self.name)


def translations(plan) -> str:
    """The text for ``iptables-restore`` that lets floating IPs stand for fixed ones."""
    lines = [
        '*nat',
        ':PREROUTING ACCEPT [0:0]',
        ':POSTROUTING ACCEPT [0:0]',
        ':OUTPUT ACCEPT [0:0]',
    ]
    for floating, fixed in plan.floating:
        lines.append(f'-A PREROUTING -d {floating}/32 -j DNAT --to-destination {fixed}')
    for floating, fixed in plan.floating:
        lines.append(f'-A POSTROUTING -s {fixed}/32 -o ext -j SNAT --to-source {floating}')
    # What comes in by a floating IP keeps its source; only what goes out is translated.
    lines.append(f'-A POSTROUTING -o ext -j SNAT --to-source {plan.outer}')
    return '\n'.join([*lines, 'COMMIT', ''])
