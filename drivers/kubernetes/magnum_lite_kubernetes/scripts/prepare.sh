# shellcheck shell=bash
# What a server needs before kubeadm runs, the same for every role. Sourced after boot_lib.sh.
# The variables set here are read by boot_lib.sh and by the scripts that source this.
# shellcheck disable=SC2034

prepare_kernel() {
    enter kernel
    # Built in, or not for us to load: preflight says so if one is really missing.
    modprobe -a overlay br_netfilter 2>/dev/null || true
    printf '%s\n' overlay br_netfilter >/etc/modules-load.d/magnum-lite.conf
    printf '%s\n' 'net.ipv4.ip_forward = 1' >/etc/sysctl.d/90-magnum-lite.conf
    logged sysctl -w net.ipv4.ip_forward=1
    swapoff -a || true
}

close_metadata() { # before the kubelet starts: user data holds keys that no pod may read
    enter metadata
    systemctl daemon-reload
    logged systemctl enable --now magnum-lite-metadata.service
}

mount_volume() { # the empty disk becomes the home of containers; it may be attached late
    enter volume
    [ "$CONTAINER_VOLUME" = true ] || return 0
    if ! blkid -L containers >/dev/null; then
        until_true 300 empty_disk
        logged mkfs.ext4 -q -L containers "$(empty_disk)"
    fi
    mkdir -p /var/lib/containerd
    grep -q '^LABEL=containers ' /etc/fstab ||
        echo 'LABEL=containers /var/lib/containerd ext4 defaults,nofail 0 2' >>/etc/fstab
    mountpoint -q /var/lib/containerd || logged mount /var/lib/containerd
}

empty_disk() { # the first disk without partitions, file system or use
    lsblk --json --paths --output NAME,TYPE,FSTYPE,MOUNTPOINT |
        jq -er '[.blockdevices[] | select(.type == "disk" and .fstype == null
                 and .mountpoint == null and .children == null)][0].name'
}

prepare_proxy() {
    enter proxy
    [ -n "$HTTP_PROXY$HTTPS_PROXY" ] || return 0
    NO_PROXY="$NO_PROXY,$API_INTERNAL"
    export HTTP_PROXY HTTPS_PROXY NO_PROXY
    export http_proxy="$HTTP_PROXY" https_proxy="$HTTPS_PROXY" no_proxy="$NO_PROXY"
    mkdir -p /etc/systemd/system/containerd.service.d
    {
        echo '[Service]'
        printf 'Environment="%s"\n' "HTTP_PROXY=$HTTP_PROXY" "HTTPS_PROXY=$HTTPS_PROXY" \
            "NO_PROXY=$NO_PROXY"
    } >/etc/systemd/system/containerd.service.d/magnum-lite-proxy.conf
    systemctl daemon-reload
}

registry() { # HOST URL: where containerd asks for the images of a registry
    mkdir -p "/etc/containerd/certs.d/$1"
    printf '[host."%s"]\n  capabilities = ["pull", "resolve"]\n' "$2" \
        >"/etc/containerd/certs.d/$1/hosts.toml"
}

prepare_runtime() {
    enter runtime
    local version config=/etc/containerd/config.toml
    version=$(containerd --version | sed -n 's/.* v\{0,1\}\([0-9]*\)\.[0-9]*\..*/\1/p')
    mkdir -p /etc/containerd/certs.d
    # A drop-in would replace the whole section of CRI in 1.x, so the whole file is ours.
    case $version in
    1) cp /usr/local/lib/magnum-lite/containerd_v2.toml "$config" ;;
    *) cp /usr/local/lib/magnum-lite/containerd_v3.toml "$config" ;;
    esac
    [ "$CGROUP_DRIVER" = systemd ] || sed -i 's/SystemdCgroup = true/SystemdCgroup = false/' "$config"
    if [ -n "$SANDBOX_IMAGE" ]; then
        # Appended: the last table of either file is the one it belongs to.
        case $version in
        1) printf '  sandbox_image = "%s"\n' "$SANDBOX_IMAGE" >>"$config" ;;
        *) printf '  sandbox = "%s"\n' "$SANDBOX_IMAGE" >>"$config" ;;
        esac
    fi
    [ -z "$INSECURE_REGISTRY" ] || registry "$INSECURE_REGISTRY" "http://$INSECURE_REGISTRY"
    [ -z "$REGISTRY_MIRROR" ] || registry _default "$REGISTRY_MIRROR"
    logged systemctl enable containerd.service kubelet.service
    logged systemctl restart containerd.service
    until_true 60 test -S /run/containerd/containerd.sock
}

check_version() { # the image brings the programs; a wish for another version ends here
    enter version
    installed=$(kubeadm version -o short)
    if [ -n "$KUBE_TAG" ] && [ "$KUBE_TAG" != "$installed" ]; then
        why="the image has Kubernetes $installed, kube_tag wants $KUBE_TAG: use another image"
        return 1
    fi
}

prepare_node() { # PURPOSE FILE...: as for enrol
    enter identity
    name=$(metadata .name)
    server=$(metadata .uuid)
    address=$(own_address)
    prepare_proxy
    enrol "$@"
    prepare_kernel
    close_metadata
    check_version
    mount_volume
    prepare_runtime
}
