"""What each release of the service speaks: microversion, RPC version, versions of the objects.

A release never changes after it is out; objects.json in the golden files holds the fingerprints.
"""

RELEASES = {
    '1.0': {
        'api': '1.14',
        'rpc': '1.0',
        'objects': {
            'Certificate': '1.0',
            'Cluster': '1.0',
            'ClusterTemplate': '1.0',
            'ClusterVersion': '1.0',
            'Driver': '1.0',
            'NodeGroup': '1.0',
            'Operation': '1.0',
            'Quota': '1.0',
        },
    },
    '1.1': {
        'api': '1.14',
        'rpc': '1.1',
        'objects': {
            'Certificate': '1.1',
            'Cluster': '1.1',
            'ClusterTemplate': '1.1',
            'ClusterVersion': '1.0',
            'DriverVersion': '1.1',
            'NodeGroup': '1.1',
            'Operation': '1.1',
            'Quota': '1.0',
        },
    },
}
CURRENT = '1.1'
