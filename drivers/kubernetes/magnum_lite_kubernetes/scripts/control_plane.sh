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
# shellcheck source-path=SCRIPTDIR source=ready.sh
. /usr/local/lib/magnum-lite/ready.sh

write_configuration() { # what only this server knows goes into the driver's documents
    local token=/etc/magnum-lite/bootstrap_token
    # JSON is YAML, and jq does the quoting.
    jq -cn --argjson init "$KUBEADM_INIT" --rawfile token "$token" \
        --arg name "$name" --arg address "$address" --arg id "openstack:///$server" '$init
        | if ($token | rtrimstr("\n")) == "" then .
          else .bootstrapTokens[0].token = ($token | rtrimstr("\n")) end
        | .nodeRegistration.name = $name
        | .nodeRegistration.kubeletExtraArgs += [{name: "node-ip", value: $address},
                                                 {name: "provider-id", value: $id}]
        | .localAPIEndpoint.advertiseAddress = $address'
    echo ---
    jq -cn --argjson cluster "$KUBEADM_CLUSTER" --arg internal "$API_INTERNAL" \
        --arg external "$API_EXTERNAL" --arg version "$installed" \
        --arg endpoint "$(in_url "$API_INTERNAL"):$APISERVER_PORT" '$cluster
        | .kubernetesVersion = $version
        | .controlPlaneEndpoint = $endpoint
        | .apiServer.certSANs += ([$internal, $external] | map(select(. != "")))'
    echo ---
    printf '%s\n' "$KUBELET_CONFIG"
}

apply_manifests() { # of the driver, then of the operator's artifact
    local where
    # An API server that has just come up refuses now and then, and no answer of it is the last.
    until_true 120 kubectl apply -f /etc/magnum-lite/manifest.json
    [ -n "$MANIFESTS_URL" ] || return 0
    where=$(mktemp -d)
    # A URL may have brackets and braces, which curl takes for a list of URLs.
    logged timeout "$(at_most 900)" curl -sSfL --globoff --retry 10 --retry-connrefused \
        --retry-delay 3 --max-time 300 -o "$where/manifests.tar.gz" "$MANIFESTS_URL"
    echo "$MANIFESTS_SHA256  $where/manifests.tar.gz" >"$where/sum"
    logged sha256sum --check "$where/sum"
    mkdir "$where/manifests"
    logged tar -xzf "$where/manifests.tar.gz" -C "$where/manifests" --no-same-owner
    # What is of a kind that it brings itself is taken at the second time.
    until_true 120 kubectl apply --recursive -f "$where/manifests"
    rm -rf "$where"
}

prepare_node ca.kubernetes.key /etc/kubernetes/pki/ca.key \
    ca.etcd.key /etc/kubernetes/pki/etcd/ca.key \
    ca.front_proxy.key /etc/kubernetes/pki/front-proxy-ca.key \
    service_account /etc/kubernetes/pki/sa.key

mapfile -t images < <(jq -r '[.items[].spec?.template?.spec? | select(.)
    | (.initContainers, .containers)[]?.image] | unique[]' /etc/magnum-lite/manifest.json)
fetch_images "$sandbox" "${images[@]}"

enter init
if [ ! -e /etc/kubernetes/kubelet.conf ]; then
    openssl pkey -in /etc/kubernetes/pki/sa.key -pubout -out /etc/kubernetes/pki/sa.pub
    (umask 077 && write_configuration >/run/kubeadm.yaml)
    # What is printed here is on the console, which the members of the project read.
    logged timeout "$(at_most 3600)" kubeadm init --skip-token-print --config /run/kubeadm.yaml
    rm -f /run/kubeadm.yaml /etc/magnum-lite/bootstrap_token
fi

keep_certificates

enter api
export KUBECONFIG=/etc/kubernetes/admin.conf
until_true 300 kubectl get --raw=/readyz

enter addons
apply_manifests

enter ready
until_true 540 pods_run pods,events --all-namespaces
# Only now: more of them are for workers, and none is there yet.
until_true 120 kubectl --namespace kube-system scale deployment coredns --replicas="$DNS_REPLICAS"
report SUCCESS "$name: the control plane is up after $SECONDS s" "$installed"
