#!/bin/bash
# Joins this server to a Kubernetes cluster. Reads node.env (from the spec) and stack.env (from
# Heat). May be run again.
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

ca_hash() { # how kubeadm names the authority that it may trust
    openssl x509 -in /etc/magnum-lite/ca.crt -noout -pubkey |
        openssl pkey -pubin -outform DER | sha256sum | cut -d ' ' -f 1
}

write_configuration() { # what only this server knows goes into the driver's document
    local hash
    hash=$(ca_hash)
    # JSON is YAML, and jq does the quoting.
    jq -cn --argjson join "$KUBEADM_JOIN" --rawfile token /etc/magnum-lite/bootstrap_token \
        --arg name "$name" --arg address "$address" --arg hash "sha256:$hash" \
        --arg id "openstack:///$server" \
        --arg api "$(in_url "$API_INTERNAL"):$APISERVER_PORT" --arg file "$join_file" '$join
        | .discovery = if $file != "" then {file: {kubeConfigPath: $file}} else {bootstrapToken: {
            apiServerEndpoint: $api, token: ($token | rtrimstr("\n")), caCertHashes: [$hash]}} end
        | .nodeRegistration.name = $name
        | .nodeRegistration.kubeletExtraArgs += [{name: "node-ip", value: $address},
                                                 {name: "provider-id", value: $id}]'
}

write_discovery() { # how kubeadm takes the certificate that this node alone was given
    jq -cn --rawfile ca /etc/magnum-lite/ca.crt --rawfile cert /etc/magnum-lite/bootstrap.crt \
        --rawfile key /etc/magnum-lite/bootstrap.key \
        --arg api "https://$(in_url "$API_INTERNAL"):$APISERVER_PORT" '
        {apiVersion: "v1", kind: "Config", "current-context": "join",
         clusters: [{name: "cluster", cluster: {
            server: $api, "certificate-authority-data": ($ca | @base64)}}],
         users: [{name: "node", user: {"client-certificate-data": ($cert | @base64),
                                       "client-key-data": ($key | @base64)}}],
         contexts: [{name: "join", context: {cluster: "cluster", user: "node"}}]}'
}

answers() { # URL: whether the API server does
    why="$1 does not answer"
    curl -sSf --max-time 20 --cacert /etc/magnum-lite/ca.crt -o /dev/null "$1"
}

prepare_node bootstrap.cert /etc/magnum-lite/bootstrap.crt \
    bootstrap.key /etc/magnum-lite/bootstrap.key
fetch_images "$sandbox"

# Not part of the join, so that a report tells an API that is late from a join that is refused.
enter api
persist "$(at_most 1200)" answers "https://$(in_url "$API_INTERNAL"):$APISERVER_PORT/livez"

enter join
if [ ! -e /etc/kubernetes/kubelet.conf ]; then
    join_file=
    if [ -s /etc/magnum-lite/bootstrap.key ]; then
        join_file=/run/magnum-lite-join.conf
        (umask 077 && write_discovery >"$join_file")
    fi
    (umask 077 && write_configuration >/run/kubeadm.yaml)
    logged timeout "$(at_most 3600)" kubeadm join --config /run/kubeadm.yaml
    rm -f /run/kubeadm.yaml /run/magnum-lite-join.conf /etc/magnum-lite/bootstrap*
fi
keep_certificates

enter ready
# A kubelet may see its Node and the pods on it, and no more.
export KUBECONFIG=/etc/kubernetes/kubelet.conf
persist "$(at_most 540)" pods_run pods --all-namespaces --field-selector "spec.nodeName=$name"
report SUCCESS "$name: joined after $SECONDS s" "$installed"
