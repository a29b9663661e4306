#!/bin/bash
# Makes this server the control plane of a Kubernetes cluster. Reads node.env (from the spec) and
# stack.env (from Heat); the keys of the authorities are in place. May be run again.
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

enrol() { # fetches the keys; the console proves that it is this server who asks
    local server url="$ENROLMENT_URL/v1/enrolments" proof=/etc/magnum-lite/enrolment_proof
    local answer=/run/magnum-lite-enrolment.json
    server=$(metadata .uuid)
    # Kept, since a server is given its keys by the proof that it gave first.
    [ -s "$proof" ] || (umask 077 && openssl rand -hex 32 >"$proof")
    echo "magnum-lite enrolment $(tr -d '\n' <"$proof" | sha256sum | cut -d ' ' -f 1)" >/dev/console
    until_true 600 ask_for_keys "$server" "$proof" "$url" "$answer"
    keep_key ca.kubernetes.key "$answer" /etc/kubernetes/pki/ca.key
    keep_key ca.etcd.key "$answer" /etc/kubernetes/pki/etcd/ca.key
    keep_key ca.front_proxy.key "$answer" /etc/kubernetes/pki/front-proxy-ca.key
    keep_key service_account "$answer" /etc/kubernetes/pki/sa.key
    rm -f "$answer"
}

ask_for_keys() { # SERVER PROOF URL ANSWER
    jq -n --arg cluster "$CLUSTER_UUID" --arg server "$1" --rawfile proof "$2" \
        '{cluster: $cluster, server: $server, proof: ($proof | rtrimstr("\n"))}' |
        (umask 077 && curl -sSf --max-time 60 -o "$4" -X POST \
            -H 'Content-Type: application/json' --data-binary @- "$3")
}

keep_key() { # PURPOSE ANSWER FILE
    (umask 077 && jq -er --arg purpose "$1" '.secrets[$purpose]' "$2" >"$3")
}

prepare_node

enter enrol
# The files of user data are empty where keys are fetched.
if [ -n "$ENROLMENT_URL" ] && [ ! -e /etc/kubernetes/kubelet.conf ]; then
    enrol
fi

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
