#!/bin/bash
# Makes this server the control plane of a Kubernetes cluster. Reads node.env (from the spec) and
# stack.env (from Heat). May be run again.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=boot_lib.sh
. /usr/local/lib/magnum-lite/boot_lib.sh
# shellcheck source-path=SCRIPTDIR/../../tests source=node.env
. /etc/magnum-lite/node.env
# shellcheck source-path=SCRIPTDIR/../../tests source=stack.env
. /etc/magnum-lite/stack.env
# shellcheck source-path=SCRIPTDIR source=prepare.sh
. /usr/local/lib/magnum-lite/prepare.sh

write_configuration() { # what only this server knows goes into the driver's documents
    local token=/etc/magnum-lite/bootstrap_token
    # JSON is YAML, and jq does the quoting.
    jq -cn --argjson init "$KUBEADM_INIT" --rawfile token "$token" \
        --arg name "$name" --arg address "$address" '$init
        | .bootstrapTokens[0].token = ($token | rtrimstr("\n"))
        | .nodeRegistration.name = $name
        | .nodeRegistration.kubeletExtraArgs += [{name: "node-ip", value: $address}]
        | .localAPIEndpoint.advertiseAddress = $address'
    echo ---
    jq -cn --argjson cluster "$KUBEADM_CLUSTER" --arg internal "$API_INTERNAL" \
        --arg external "$API_EXTERNAL" --arg port "$APISERVER_PORT" --arg version "$installed" '$cluster
        | .kubernetesVersion = $version
        | .controlPlaneEndpoint = $internal + ":" + $port
        | .apiServer.certSANs += ([$internal, $external] | map(select(. != "")))'
    echo ---
    printf '%s\n' "$KUBELET_CONFIG"
}

apply_manifests() { # of the driver, then of the operator's artifact
    local where
    logged kubectl apply -f /etc/magnum-lite/manifest.json
    logged kubectl --namespace kube-system scale deployment coredns --replicas="$DNS_REPLICAS"
    [ -n "$MANIFESTS_URL" ] || return 0
    where=$(mktemp -d)
    logged curl -sSfL --retry 10 --retry-connrefused --retry-delay 3 --max-time 300 \
        -o "$where/manifests.tar.gz" "$MANIFESTS_URL"
    echo "$MANIFESTS_SHA256  $where/manifests.tar.gz" >"$where/sum"
    logged sha256sum --check "$where/sum"
    mkdir "$where/manifests"
    logged tar -xzf "$where/manifests.tar.gz" -C "$where/manifests" --no-same-owner
    logged kubectl apply --recursive -f "$where/manifests"
    rm -rf "$where"
}

prepare_node bootstrap /etc/magnum-lite/bootstrap_token \
    ca.kubernetes.key /etc/kubernetes/pki/ca.key \
    ca.etcd.key /etc/kubernetes/pki/etcd/ca.key \
    ca.front_proxy.key /etc/kubernetes/pki/front-proxy-ca.key \
    service_account /etc/kubernetes/pki/sa.key

enter init
if [ ! -e /etc/kubernetes/kubelet.conf ]; then
    openssl pkey -in /etc/kubernetes/pki/sa.key -pubout -out /etc/kubernetes/pki/sa.pub
    (umask 077 && write_configuration >/run/kubeadm.yaml)
    # What is printed here is on the console, which the members of the project read.
    logged kubeadm init --skip-token-print --config /run/kubeadm.yaml
    rm -f /run/kubeadm.yaml /etc/magnum-lite/bootstrap_token
fi

enter api
export KUBECONFIG=/etc/kubernetes/admin.conf
until_true 300 kubectl get --raw=/readyz

enter addons
apply_manifests

enter ready
if [ "$WAIT_READY" = true ]; then
    logged kubectl wait --for=condition=Ready "node/$name" --timeout=600s
fi
report SUCCESS "$name: the control plane is up after $SECONDS s" "$installed"
