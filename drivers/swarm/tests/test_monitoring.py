"""The stack of services that watch a swarm, as the docker client reads it."""

import hashlib
import json
import os
import re
import subprocess
from pathlib import Path

import pytest
import yaml

import magnum_lite_swarm
from magnum_lite_dev.rig.lack import lack
from magnum_lite_swarm import config

FOLDER = Path(magnum_lite_swarm.__file__).parent / 'monitoring'
EVERYWHERE = {'cadvisor', 'node-exporter'}
PINNED = re.compile(r'[a-z0-9./-]+:v?[0-9]+\.[0-9]+\.[0-9]+')


def docker(*words, **variables):
    """What a command of the client prints, with these variables alone."""
    done = subprocess.run(
        ['docker', *words],
        env={'PATH': os.environ['PATH'], **variables},
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture
def read():
    """``read(**variables)``: the services, by name, as the client would deploy them."""
    if 'stack config ' not in docker('stack', 'config', '--help'):
        lack('docker stack config came with release 23.0')

    def read(**variables):
        path = str(FOLDER / 'stack.yaml')
        text = docker('stack', 'config', '--compose-file', path, **variables)
        return yaml.safe_load(text)['services']

    return read


@pytest.mark.needs('docker')
def test_all_images_come_from_one_place_and_are_of_one_version(read):
    images = {name: service['image'] for name, service in read().items()}
    assert set(images) == {'prometheus', 'grafana', *EVERYWHERE}
    assert all(PINNED.fullmatch(image) for image in images.values()), images
    place = 'registry.example.org/mirror/'
    mirrored = read(IMAGE_PREFIX=place)
    assert {name: service['image'] for name, service in mirrored.items()} == {
        name: place + image.partition('/')[2] for name, image in images.items()
    }


@pytest.mark.needs('docker')
def test_what_looks_at_nodes_runs_on_all_and_nobody_else_does(read):
    modes = {name: service['deploy'].get('mode') for name, service in read().items()}
    assert {name for name, mode in modes.items() if mode == 'global'} == EVERYWHERE


@pytest.mark.needs('docker')
def test_grafana_alone_is_published_at_a_port_of_services(read):
    ports = {name: service['ports'] for name, service in read().items() if 'ports' in service}
    (port,) = ports.pop('grafana')
    assert not ports
    first, last = map(int, config.defaults()['service_ports'].split('-'))
    assert first <= port['published'] <= last
    (other,) = read(GRAFANA_PORT='31000')['grafana']['ports']
    assert other['published'] == 31000


def test_a_config_that_changes_gets_another_name():
    """Swarm changes no config: a stack with the old name could not be deployed again."""
    stack = yaml.safe_load((FOLDER / 'stack.yaml').read_text())
    used = {
        each['source']
        for service in stack['services'].values()
        for each in service.get('configs', ())
    }
    assert used == set(stack['configs'])
    names = {name: each['name'] for name, each in stack['configs'].items()}
    right = {
        name: f'{each["name"].rpartition("-")[0]}-{_digest(FOLDER / each["file"])}'
        for name, each in stack['configs'].items()
    }
    assert names == right


def _digest(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()[:8]


def test_every_panel_asks_the_source_that_there_is():
    (source,) = yaml.safe_load((FOLDER / 'datasources.yaml').read_text())['datasources']
    panels = json.loads((FOLDER / 'swarm.json').read_text())['panels']
    assert {panel['datasource']['uid'] for panel in panels} == {source['uid']}
    services = yaml.safe_load((FOLDER / 'stack.yaml').read_text())['services']
    scraped = yaml.safe_load((FOLDER / 'prometheus.yaml').read_text())['scrape_configs']
    assert {job['job_name'] for job in scraped} == set(services) - {'grafana'}
