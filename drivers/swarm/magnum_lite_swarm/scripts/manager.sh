#!/bin/bash
# Makes this server a manager of a swarm: of a new one if it is the first and no other is in one.
# Reads node.env (from the spec) and stack.env (from Heat). May be run again.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=boot_lib.sh
. /usr/local/lib/magnum-lite/boot_lib.sh
# shellcheck source-path=SCRIPTDIR/../../tests source=node.env
. /etc/magnum-lite/node.env
# shellcheck source-path=SCRIPTDIR/../../tests source=stack.env
. /etc/magnum-lite/stack.env
# shellcheck source-path=SCRIPTDIR source=engine.sh
. /usr/local/lib/magnum-lite/engine.sh
is_manager=true

make_certificate() { # by which this server is known at 2376 and 2378, and known to other managers
    local names="IP:$address,IP:127.0.0.1,DNS:$name,DNS:localhost" other end days
    enter certificate
    if [ -s "$pki/server.pem" ]; then return 0; fi
    for other in $API_ADDRESSES; do names+=",IP:$other"; done
    printf '%s\n' "subjectAltName=$names" 'extendedKeyUsage=serverAuth,clientAuth' \
        'keyUsage=critical,digitalSignature' 'authorityKeyIdentifier=keyid' >/run/magnum-lite-names
    # As long as its authority, which nothing renews either; a day that is not whole counts.
    end=$(openssl x509 -in "$pki/ca-signs.pem" -noout -enddate | cut -d = -f 2)
    days=$((($(date -d "$end" +%s) - $(date +%s)) / 86400 + 1))
    logged openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
        -keyout "$pki/server-key.pem" -subj "/CN=$name" -out /run/magnum-lite.csr
    logged openssl x509 -req -in /run/magnum-lite.csr -CA "$pki/ca-signs.pem" -CAkey "$pki/ca-key.pem" \
        -set_serial "0x$(openssl rand -hex 16)" -days "$days" -extfile /run/magnum-lite-names \
        -out "$pki/server.pem.new"
    # For clients who trust nothing but the authority of before.
    cat "$pki/ca-cross.pem" >>"$pki/server.pem.new"
    chmod 600 "$pki/server-key.pem"
    mv "$pki/server.pem.new" "$pki/server.pem"
}

open_door() { # where workers get their token; never by a certificate of the API
    enter door
    # Both kinds: those who enrol, and those who sign by the key that they were given.
    if [ ! -e "$pki/door.pem" ]; then
        logged openssl req -x509 -new -key "$pki/join-key.pem" -subj /CN=magnum-lite-join -days 3650 \
            -out /run/magnum-lite-join.pem
        cat "$pki/join-ca.pem" /run/magnum-lite-join.pem >"$pki/door.pem"
    fi
    systemctl daemon-reload
    logged systemctl enable --now magnum-lite-door.service
}

listen() { # at the port of the API, by TLS alone
    mkdir -p /etc/systemd/system/docker.service.d
    printf '[Service]\nExecStart=\nExecStart=%s -H fd:// -H tcp://0.0.0.0:%s --containerd=%s\n' \
        "$(command -v dockerd)" "$APISERVER_PORT" /run/containerd/containerd.sock \
        >/etc/systemd/system/docker.service.d/magnum-lite-api.conf
}

there() { # ADDRESS PATH OPTION...: another manager
    local url
    url=https://$(in_url "$1"):$APISERVER_PORT$2
    shift 2
    api --cacert "$pki/ca.pem" --cert "$pki/server.pem" --key "$pki/server-key.pem" "$@" "$url"
}

find_member() { # sets $member to a manager that is in a swarm, or to nothing: then make one here
    local other silent=
    member=
    for other in $MANAGERS; do
        [ "$other" != "$address" ] || continue
        if there "$other" /info; then
            if jq -e .Swarm.ControlAvailable "$answer"; then
                member=$other
                return 0
            fi
        else
            silent=$other
        fi
    done
    # One that does not answer may have lost us, and not the swarm.
    [ -n "$silent" ] || [ "$address" != "${MANAGERS%% *}" ] || return 0
    echo "no manager is in a swarm yet${silent:+, and $silent does not answer}" >&2
    return 1
}

forget_predecessor() { # a manager of this address that is lost counts for the quorum until it is demoted
    local id version spec
    there "$member" /nodes
    jq -r --arg address "$address:2377" '.[] | select(.ManagerStatus.Addr == $address
        and .Status.State == "down") | .ID' "$answer" >/run/magnum-lite-predecessors
    while read -r id; do
        there "$member" "/nodes/$id"
        version=$(jq .Version.Index "$answer")
        spec=$(jq -c '.Spec | .Role = "worker"' "$answer")
        there "$member" "/nodes/$id/update?version=$version" -H 'Content-Type: application/json' \
            --data-binary @- <<<"$spec"
        until_true 60 there "$member" "/nodes/$id?force=true" -X DELETE
    done </run/magnum-lite-predecessors
}

enter_swarm() {
    enter swarm
    here /info
    case $(jq -r .Swarm.LocalNodeState "$answer") in active | pending) return 0 ;; esac
    until_true 600 find_member
    if [ -z "$member" ]; then
        enter init
        jq -n --arg address "$address" --arg pool "$OVERLAY_ADDRESS_POOL" \
            --arg availability "$AVAILABILITY" --argjson size "$OVERLAY_SUBNET_SIZE" '
            {ListenAddr: "0.0.0.0:2377", AdvertiseAddr: $address, Availability: $availability,
             DefaultAddrPool: [$pool], SubnetSize: $size}' >/run/magnum-lite-swarm.json
        tell /swarm/init </run/magnum-lite-swarm.json
        return 0
    fi
    enter join
    forget_predecessor
    there "$member" /swarm
    token=$(jq -er .JoinTokens.Manager "$answer")
    until_true 300 join_swarm "$member"
}

prepare_node ca.docker.key "$pki/ca-key.pem" ca.docker.cert "$pki/ca-signs.pem" \
    ca.docker.cross "$pki/ca-cross.pem" bootstrap "$pki/join-key.pem"
make_certificate
listen
start_engine '. + {tlsverify: true, tlscacert: "/etc/docker/ca.pem",
    tlscert: "/etc/docker/server.pem", tlskey: "/etc/docker/server-key.pem"}'
start_volume_driver
enter_swarm
open_door
# A manager that runs needs neither.
rm -f "$pki/ca-key.pem" "$pki/join-key.pem"
end_boot
