#!/bin/bash
# Joins this server to a swarm. Reads node.env (from the spec) and stack.env (from Heat). May be run
# again.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=boot_lib.sh
. /usr/local/lib/magnum-lite/boot_lib.sh
# shellcheck source-path=SCRIPTDIR/../../tests source=node.env
. /etc/magnum-lite/node.env
# shellcheck source-path=SCRIPTDIR/../../tests source=stack.env
. /etc/magnum-lite/stack.env
# shellcheck source-path=SCRIPTDIR source=engine.sh
. /usr/local/lib/magnum-lite/engine.sh

make_certificate() { # without enrolment: signed by the key that managers know this group by
    enter certificate
    if [ -s "$pki/join.pem" ] || ! grep -qs 'PRIVATE KEY' "$pki/join-key.pem"; then return 0; fi
    local ca=/run/magnum-lite-ca.pem
    logged openssl req -x509 -new -key "$pki/join-key.pem" -subj /CN=magnum-lite-join -days 3650 \
        -out "$ca"
    logged openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
        -keyout "$pki/join-client-key.pem" -subj "/CN=node-$server" -out /run/magnum-lite.csr
    logged openssl x509 -req -in /run/magnum-lite.csr -CA "$ca" -CAkey "$pki/join-key.pem" \
        -set_serial "0x$(openssl rand -hex 16)" -days 1 -out "$pki/join.pem"
}

fetch_token() { # from any manager: each has a door that gives it to who shows a certificate
    local manager
    for manager in $MANAGERS; do
        if api --cacert "$pki/ca.pem" --cert "$pki/join.pem" --key "$pki/join-client-key.pem" \
            "https://$(in_url "$manager"):2378/"; then
            token=$(jq -er .token "$answer")
            rm -f "$answer"
            return 0
        fi
    done
    return 1
}

prepare_node bootstrap.cert "$pki/join.pem" bootstrap.key "$pki/join-client-key.pem"
make_certificate
start_engine .
start_volume_driver

enter swarm
if ! is_member; then
    why=
    # Not part of the join, so that a report tells managers that are late from a join that is refused.
    enter token
    read -ra managers <<<"$MANAGERS"
    longest_pause=4000
    persist "$(at_most 1200)" fetch_token
    enter join
    until_true 300 join_swarm "${managers[@]}"
fi
rm -f "$pki"/join*.pem
end_boot
