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
        --arg api "$API_INTERNAL:$APISERVER_PORT" '$join
        | .discovery.bootstrapToken = {apiServerEndpoint: $api, token: ($token | rtrimstr("\n")),
                                       caCertHashes: [$hash]}
        | .nodeRegistration.name = $name
        | .nodeRegistration.kubeletExtraArgs += [{name: "node-ip", value: $address}]'
}

answers() { # URL: whether the API server does
    why="$1 does not answer"
    curl -sSf --max-time 20 --cacert /etc/magnum-lite/ca.crt -o /dev/null "$1"
}

prepare_node bootstrap /etc/magnum-lite/bootstrap_token

# Not part of the join, so that a report tells an API that is late from a join that is refused.
enter api
persist 1200 answers "https://$API_INTERNAL:$APISERVER_PORT/livez"

enter join
if [ ! -e /etc/kubernetes/kubelet.conf ]; then
    (umask 077 && write_configuration >/run/kubeadm.yaml)
    logged kubeadm join --config /run/kubeadm.yaml
    rm -f /run/kubeadm.yaml /etc/magnum-lite/bootstrap_token
fi
report SUCCESS "$name: joined after $SECONDS s" "$installed"
