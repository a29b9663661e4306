"""A node whose clock can be moved.

Certificates, openssl, bash and the clock are real; kubeadm, kubectl and the kubelet are stubs that
do with files what the real ones do.
"""

import base64
import datetime
import importlib.util
import os
import re
import shutil
import subprocess
from pathlib import Path

from cryptography import x509

FAKETIME = importlib.util.find_spec('libfaketime')
LEAFS = (
    'apiserver',
    'apiserver-etcd-client',
    'apiserver-kubelet-client',
    'front-proxy-client',
    'etcd/server',
    'etcd/peer',
    'etcd/healthcheck-client',
)
CONFIGS = ('admin', 'super-admin', 'controller-manager', 'scheduler')
PODS = ('etcd', 'kube-apiserver', 'kube-controller-manager', 'kube-scheduler')
CLIENT = 'var/lib/kubelet/pki/kubelet-client-current.pem'
SERVING = 'var/lib/kubelet/pki/kubelet.crt'

# Each program that looks at the clock is moved by itself: subshells would end what they share.
MOVED = """#!/bin/bash
LD_PRELOAD={library} FAKETIME=$DAY exec {program} "$@"
"""
SIGN = r"""
sign() { # FILE DAYS SUBJECT
    openssl req -new -key "$STUB_DIR/key.pem" -subj "$3" | openssl x509 -req -days "$2" \
        -CA "$ROOT/etc/kubernetes/pki/ca.crt" -CAkey "$STUB_DIR/key.pem" \
        -set_serial "0x$(openssl rand -hex 8)" -out "$1" 2>/dev/null
}
"""
KUBEADM = (
    """#!/bin/bash
echo "kubeadm $*" >>"$STUB_LOG"
[ "$*" = 'certs renew all' ] || exit 2
"""
    + SIGN
    + r"""
cd "$ROOT/etc/kubernetes" || exit
for name in LEAFS; do
    if [ -e "$STUB_DIR/full" ] && [ "$name" = etcd/server ]; then
        echo 'error: disk is full'
        exit 1
    fi
    sign "pki/$name.crt" 365 /CN=leaf
done
for name in CONFIGS; do
    sign "$STUB_DIR/client" 365 /O=system:masters/CN=client
    printf 'users:\n- user:\n    client-certificate-data: %s\n' "$(base64 -w0 "$STUB_DIR/client")" \
        >"$name.conf"
done
""".replace('LEAFS', ' '.join(LEAFS)).replace('CONFIGS', ' '.join(CONFIGS))
)
KUBECTL = r"""#!/bin/bash
echo "kubectl $*" >>"$STUB_LOG"
case $* in
'annotate --local'*) file=$(sed 's/.* -f \([^ ]*\) .*/\1/' <<<"$*")
    grep -v ^renewed: "$file"; echo "renewed: ${*: -1}" ;;
'--namespace kube-system get pod '*) pod=${5%-node-0}
    [ ! -e "$STUB_DIR/stuck" ] && sed -n 's/^renewed: .*=\(.*\)/\1 True/p' \
        "$ROOT/etc/kubernetes/manifests/$pod.yaml" ;;
*) exit 2 ;;
esac
"""
SYSTEMCTL = (
    """#!/bin/bash
echo "systemctl $*" >>"$STUB_LOG"
"""
    + SIGN
    + r"""
kubelet=$ROOT/var/lib/kubelet/pki
[ "$*" != 'restart kubelet.service' ] || [ -e "$kubelet/kubelet.crt" ] ||
    { sign "$kubelet/kubelet.crt" 365 /CN=node-0; touch "$kubelet/kubelet.key"; }
"""
)


class Aging:
    """A node whose clock can be moved."""

    def __init__(self, node, role):
        self.node, self.root, self.started = node, node.root, datetime.datetime.now(datetime.UTC)
        for name in ('etc/kubernetes/pki/etcd', 'etc/kubernetes/manifests', 'var/lib/kubelet/pki'):
            (self.root / name).mkdir(parents=True, exist_ok=True)
        library = next(Path(FAKETIME.submodule_search_locations[0]).rglob('libfaketime.so.1'))
        moved = {
            name: MOVED.format(library=library, program=shutil.which(name))
            for name in ('date', 'openssl')
        }
        for name, text in {
            'kubeadm': KUBEADM,
            'kubectl': KUBECTL,
            'systemctl': SYSTEMCTL,
            **moved,
        }.items():
            (node.stubs / 'bin' / name).write_text(text)
            (node.stubs / 'bin' / name).chmod(0o755)
        self.shell(
            'openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256'
            ' -out "$STUB_DIR/key.pem"; cd "$ROOT/etc/kubernetes/pki"; for n in ca'
            ' front-proxy-ca etcd/ca; do cp "$STUB_DIR/key.pem" $n.key; openssl req -x509'
            ' -key $n.key -subj /CN=ca -days 1825 -out $n.crt; done'
        )
        self.sign(CLIENT, 365, '/O=system:nodes/CN=system:node:node-0')
        self.shell('systemctl restart kubelet.service')
        if role == 'master':
            self.shell('kubeadm certs renew all')
            for name in PODS:
                (self.root / f'etc/kubernetes/manifests/{name}.yaml').write_text('kind: Pod\n')
        else:
            (self.root / 'etc/kubernetes/pki/ca.key').unlink()
        self.node.stubs.joinpath('log').unlink()

    def shell(self, command, day=0):
        """(exit code, output) of a command that runs on a day."""
        env = os.environ | {
            'DAY': f'{day:+d}d',
            'PATH': f'{self.node.stubs}/bin:/usr/bin:/bin',
            'STUB_DIR': str(self.node.stubs),
            'STUB_LOG': f'{self.node.stubs}/log',
            'ROOT': str(self.root),
            'TMPDIR': str(self.node.stubs),
        }
        done = subprocess.run(
            ['bash', '-c', command],
            env=env,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=60,
            check=False,
        )
        return done.returncode, done.stdout

    def sign(self, path, days, subject, day=0):
        """Let the authority sign a certificate on a day."""
        code, output = self.shell(f'{SIGN}\nsign "$ROOT/{path}" {days} {subject}', day)
        assert code == 0, output

    def look(self, day):
        """(exit code, output) of what the timer starts on a day."""
        return self.shell('bash "$ROOT/usr/local/lib/magnum-lite/renew.sh"', day)

    def certificate(self, path):
        """The certificate in a file."""
        text = (self.root / path).read_text()
        found = re.search('client-certificate-data: (.*)', text)
        return x509.load_pem_x509_certificate(
            base64.b64decode(found[1]) if found else text.encode()
        )

    def ends(self, path):
        """The day on which a certificate ends."""
        return (self.certificate(path).not_valid_after_utc - self.started).days

    @property
    def paths(self):
        """Every certificate of a control plane that lives for a year."""
        return (
            [f'etc/kubernetes/pki/{name}.crt' for name in LEAFS]
            + [f'etc/kubernetes/{name}.conf' for name in CONFIGS]
            + [SERVING]
        )

    @property
    def renewals(self):
        """How often kubeadm renewed."""
        return self.node.log.count('kubeadm certs renew all')

    @property
    def stamps(self):
        """What the manifests of the control plane say about renewals."""
        return [self.node.read(f'etc/kubernetes/manifests/{name}.yaml') for name in PODS]
