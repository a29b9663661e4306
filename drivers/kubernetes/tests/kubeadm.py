"""A strict reader of what kubeadm is configured by."""

import yaml

# The fields of kubeadm v1beta4, as far as drivers write them.
FIELDS = {
    'InitConfiguration': {
        'bootstrapTokens',
        'certificateKey',
        'localAPIEndpoint',
        'nodeRegistration',
        'patches',
        'skipPhases',
        'timeouts',
    },
    'ClusterConfiguration': {
        'apiServer',
        'caCertificateValidityPeriod',
        'certificateValidityPeriod',
        'certificatesDir',
        'clusterName',
        'controlPlaneEndpoint',
        'controllerManager',
        'dns',
        'encryptionAlgorithm',
        'etcd',
        'featureGates',
        'imageRepository',
        'kubernetesVersion',
        'networking',
        'proxy',
        'scheduler',
    },
    'JoinConfiguration': {
        'caCertPath',
        'controlPlane',
        'discovery',
        'nodeRegistration',
        'patches',
        'skipPhases',
        'timeouts',
    },
    'nodeRegistration': {
        'criSocket',
        'ignorePreflightErrors',
        'imagePullPolicy',
        'imagePullSerial',
        'kubeletExtraArgs',
        'name',
        'taints',
    },
    'localAPIEndpoint': {'advertiseAddress', 'bindPort'},
    'timeouts': {
        'controlPlaneComponentHealthCheck',
        'discovery',
        'etcdAPICall',
        'kubeletHealthCheck',
        'kubernetesAPICall',
        'tlsBootstrap',
        'upgradeManifests',
    },
    'bootstrapTokens': {'description', 'expires', 'groups', 'token', 'ttl', 'usages'},
    'apiServer': {'certSANs', 'extraArgs', 'extraEnvs', 'extraVolumes'},
    'controllerManager': {'extraArgs', 'extraEnvs', 'extraVolumes'},
    'networking': {'dnsDomain', 'podSubnet', 'serviceSubnet'},
    'discovery': {'bootstrapToken', 'file', 'tlsBootstrapToken'},
    'bootstrapToken': {'apiServerEndpoint', 'caCertHashes', 'token', 'unsafeSkipCAVerification'},
    'taints': {'effect', 'key', 'timeAdded', 'value'},
}


def problems(document, where):
    """What strict decoding of kubeadm v1beta4 would refuse in a part named ``where``."""
    found = []
    if isinstance(document, list):
        return [p for item in document for p in problems(item, where)]
    if not isinstance(document, dict):
        return found
    if where.endswith('xtraArgs'):
        if set(document) != {'name', 'value'} or not isinstance(document['value'], str):
            found.append(f'{where}: wants name and value, both text: {document}')
        return found
    unknown = set(document) - {'apiVersion', 'kind'} - FIELDS.get(where, set(document))
    found += [f'{where}: unknown field {name}' for name in sorted(unknown)]
    for key, value in document.items():
        if key.endswith('xtraArgs') and not isinstance(value, list):
            found.append(f'{key}: v1beta4 wants a list')
        found += problems(value, key)
    return found


def read_documents(text):
    """{kind: document} of a configuration file; each kubeadm document is strictly checked."""
    documents = {}
    for document in yaml.safe_load_all(text):
        kind, version = document['kind'], document['apiVersion']
        if version.startswith('kubeadm.k8s.io/'):
            assert version == 'kubeadm.k8s.io/v1beta4'
            assert not (found := problems(document, kind)), found
        documents[kind] = document
    return documents
