"""A stack of the real Heat whose server boots, signals by itself, and finds its volume."""

import pytest
import requests

from tests.dev.tenant import Tenant, wait_for
from tests.dev.test_heat import HEADERS, Stacks

pytestmark = pytest.mark.nodes

LOG = '/var/log/cloud-init-output.log'
BOOTS = """#!/bin/bash
set -Eeuo pipefail
signal='HEAT_SIGNAL_HERE'
token() {
    jq '{auth: {identity: {methods: ["password"], password: {user: {id: .user_id,
        password: .password}}}, scope: {project: {id: .project_id}}}}' <<< "$signal" |
        curl -sSf -o /dev/null -D - -H 'Content-Type: application/json' -d @- \
            "$(jq -r .auth_url <<< "$signal")/auth/tokens" |
        awk 'tolower($1) == "x-subject-token:" {printf "%s", $2}' | tr -d '\\r'
}
until [ -b /dev/vdb ]; do sleep 0.2; done
echo kept > /dev/vdb
size=$(blockdev --getsize64 /dev/vdb)
curl -sSf -H "X-Auth-Token: $(token)" -H 'Content-Type: application/json' \
    -d "$(jq -n --arg d "$size" '{status: "SUCCESS", reason: "up", data: $d, id: "one"}')" \
    "$(jq -r .alarm_url <<< "$signal")"
"""
TEMPLATE = {
    'heat_template_version': 'wallaby',
    'resources': {
        'net': {'type': 'OS::Neutron::Net'},
        'subnet': {
            'type': 'OS::Neutron::Subnet',
            'properties': {'network': {'get_resource': 'net'}, 'cidr': '10.0.0.0/24'},
        },
        'router': {
            'type': 'OS::Neutron::Router',
            'properties': {'external_gateway_info': {'network': 'public'}},
        },
        'interface': {
            'type': 'OS::Neutron::RouterInterface',
            'properties': {
                'router': {'get_resource': 'router'},
                'subnet': {'get_resource': 'subnet'},
            },
        },
        'handle': {
            'type': 'OS::Heat::WaitConditionHandle',
            'properties': {'signal_transport': 'HEAT_SIGNAL'},
        },
        'apart': {
            'type': 'OS::Nova::ServerGroup',
            'properties': {'policies': ['anti-affinity']},
        },
        'volume': {'type': 'OS::Cinder::Volume', 'properties': {'size': 1}},
        'attachment': {
            'type': 'OS::Cinder::VolumeAttachment',
            'properties': {
                'instance_uuid': {'get_resource': 'server'},
                'volume_id': {'get_resource': 'volume'},
            },
        },
        'server': {
            'type': 'OS::Nova::Server',
            'depends_on': 'interface',
            'properties': {
                'name': 'one',
                'flavor': 'm1.small',
                'block_device_mapping_v2': [
                    {
                        'image': 'swarm',
                        'boot_index': 0,
                        'volume_size': 7,
                        'delete_on_termination': True,
                    }
                ],
                'scheduler_hints': {'group': {'get_resource': 'apart'}},
                'user_data_format': 'RAW',
                'networks': [{'subnet': {'get_resource': 'subnet'}}],
                'user_data': {
                    'str_replace': {
                        'template': BOOTS,
                        'params': {'HEAT_SIGNAL_HERE': {'get_attr': ['handle', 'signal']}},
                    }
                },
            },
        },
        'wait': {
            'type': 'OS::Heat::WaitCondition',
            'depends_on': 'server',
            'properties': {'handle': {'get_resource': 'handle'}, 'count': 1, 'timeout': 90},
        },
    },
    'outputs': {'data': {'value': {'get_attr': ['wait', 'data']}}},
}


def test_a_stack_is_complete_when_its_server_says_so(running_cloud):
    with running_cloud(nodes='real', image='swarm') as cloud:
        stacks, tenant = Stacks(cloud), Tenant(cloud)
        body = {'stack_name': 'boots', 'template': TEMPLATE}
        reply = requests.post(stacks.url, headers=HEADERS, timeout=30, json=body)
        assert reply.status_code == 201, reply.text
        stack = stacks.settle('boots', 150)
        node = cloud.node('one')
        assert stack['stack_status'] == 'CREATE_COMPLETE', node.read(LOG)[-3000:]
        assert str(1 << 30) in stack['outputs'][0]['output_value']

        volume = next(iter(cloud.state()['volumes'].values()))
        assert volume['attachments'][0]['device'] == '/dev/vdb'
        assert node.shell('df --output=size -BG / | tail -1').strip() in ('7G', '6G')
        server = next(iter(cloud.state()['servers'].values()))
        group = next(iter(cloud.state()['os-server-groups'].values()))
        assert group['members'] == [server['id']]
        second = tenant.server('two', [], image='cirros', group=group['id'])
        assert tenant.show(second)['hostId'] != tenant.show(server['id'])['hostId']

        # A volume goes with the server's boots, and its text outlives an attachment.
        assert tenant.act(server['id'], reboot={'type': 'HARD'})[0] == 202
        tenant.wait(server['id'], 'ACTIVE')
        link = f'/dev/disk/by-id/virtio-{volume["id"][:20]}'
        wait_for(lambda: node.shell(f'head -c4 {link}', check=False) == 'kept', 20)
        attached = f'compute/v2.1/servers/{server["id"]}/os-volume_attachments'
        tenant.ask('DELETE', f'{attached}/{volume["id"]}')
        wait_for(lambda: node.run('test', '-e', '/dev/vdb', check=False).returncode == 1, 20)
        tenant.ask('POST', attached, volumeAttachment={'volumeId': volume['id']})
        wait_for(lambda: node.shell(f'head -c4 {link}', check=False) == 'kept', 20)
        stacks.delete('boots')
        assert not node.directory.exists()
        assert not any((node.directory.parent / 'volumes').glob('*'))
