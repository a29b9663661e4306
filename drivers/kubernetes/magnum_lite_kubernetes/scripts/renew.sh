#!/bin/bash
# Renews the certificates of this node before they end, and lets what uses them start again. A timer
# runs it every day; it may be run at any time, and goes on where it was interrupted.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR/../../tests source=node.env
. /etc/magnum-lite/node.env

export HOME=/root KUBECONFIG=/etc/kubernetes/admin.conf
pki=/etc/kubernetes/pki
kubelet=/var/lib/kubelet/pki
# Holds the time of a renewal until everything runs with what it made.
pending=/var/lib/magnum-lite/renewed
soon=$((RENEW_DAYS * 86400))

certificate() { # FILE: the certificate in it; a kubeconfig holds one too
    case $1 in
    *.conf) sed -n 's/^ *client-certificate-data: *//p' "$1" | base64 -d ;;
    *) cat "$1" ;;
    esac
}

lasts() { # FILE SECONDS: whether its certificate is still valid then; one that is not there never ends
    [ ! -e "$1" ] || certificate "$1" | openssl x509 -noout -checkend "$2" >/dev/null
}

end_of() { # FILE
    certificate "$1" | openssl x509 -noout -enddate | cut -d = -f 2
}

warn_of_authorities() {
    local file
    for file in "$pki/ca.crt" "$pki/front-proxy-ca.crt" "$pki/etcd/ca.crt"; do
        lasts "$file" "$soon" ||
            echo "WARNING: the authority $file ends on $(end_of "$file"), and nothing renews it"
    done
}

node_name() { # as the API server knows it
    openssl x509 -noout -subject -in "$kubelet/kubelet-client-current.pem" |
        sed -n 's/.*CN *= *system:node:\([^,/ ]*\).*/\1/p'
}

renew_kubelet() { # its client certificate it renews itself, but not once that has ended
    local new client=$kubelet/kubelet-client-current.pem
    if ! lasts "$client" 0; then
        if [ ! -e "$pki/ca.key" ]; then
            echo "$client ended on $(end_of "$client"): put another node in the place of this one"
            return 1
        fi
        new=$kubelet/kubelet-client-$(date +%Y-%m-%d-%H-%M-%S).pem
        sign_kubelet "$new"
        ln -sfn "$new" "$client"
        echo "$client is valid until $(end_of "$client")"
        systemctl restart kubelet.service
    fi
    # It signs this one itself, where there is none.
    if ! lasts "$kubelet/kubelet.crt" "$soon"; then
        rm -f "$kubelet/kubelet.crt" "$kubelet/kubelet.key"
        systemctl restart kubelet.service
        echo "$kubelet/kubelet.crt is made anew"
    fi
}

sign_kubelet() { # FILE: a key, and a certificate for it, as the API server would give them
    local work
    work=$(mktemp -d)
    openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$work/key" \
        -subj "/O=system:nodes/CN=system:node:$(node_name)" -out "$work/csr" 2>/dev/null
    printf 'keyUsage=critical,digitalSignature\nextendedKeyUsage=clientAuth\n' >"$work/usage"
    openssl x509 -req -in "$work/csr" -CA "$pki/ca.crt" -CAkey "$pki/ca.key" -days 365 \
        -set_serial "0x$(openssl rand -hex 16)" -extfile "$work/usage" -out "$work/crt" 2>/dev/null
    (umask 077 && cat "$work/crt" "$work/key" >"$1")
    rm -rf "$work"
}

renew_control_plane() {
    local file due=
    for file in "$pki"/apiserver*.crt "$pki/front-proxy-client.crt" "$pki"/etcd/*.crt \
        /etc/kubernetes/{admin,super-admin,controller-manager,scheduler}.conf; do
        if [ "$file" = "$pki/etcd/ca.crt" ] || lasts "$file" "$soon"; then continue; fi
        echo "$file ends on $(end_of "$file")"
        due=yes
    done
    if [ -n "$due" ]; then
        mkdir -p "${pending%/*}"
        date +%s >"$pending"
        kubeadm certs renew all
    fi
    [ -e "$pending" ] || return 0
    restart_control_plane "$(cat "$pending")"
    rm -f "$pending"
    echo "the control plane runs with its new certificates"
}

restart_control_plane() { # TIME: the kubelet replaces static pods whose manifests differ
    local manifest end=$((SECONDS + 600)) name=/etc/kubernetes/magnum-lite-manifest
    for manifest in /etc/kubernetes/manifests/*.yaml; do
        # Beside the directory: the kubelet reads whatever lies in it.
        kubectl annotate --local --overwrite -f "$manifest" -o yaml \
            "magnum-lite-renewed=$1" >"$name"
        chmod 600 "$name"
        mv -f "$name" "$manifest"
    done
    for manifest in /etc/kubernetes/manifests/*.yaml; do
        name=$(basename "$manifest" .yaml)-$(node_name)
        until runs_since "$1" "$name"; do
            if [ "$SECONDS" -ge "$end" ]; then
                echo "$name does not run with its new certificates; the next run tries again"
                return 1
            fi
            sleep 5
        done
    done
}

runs_since() { # TIME POD
    [ "$(kubectl --namespace kube-system get pod "$2" --request-timeout=20s -o \
        jsonpath='{.metadata.annotations.magnum-lite-renewed} {.status.conditions[?(@.type=="Ready")].status}' \
        2>/dev/null)" = "$1 True" ]
}

warn_of_authorities
renew_kubelet
if [ -e /etc/kubernetes/manifests/kube-apiserver.yaml ]; then renew_control_plane; fi
