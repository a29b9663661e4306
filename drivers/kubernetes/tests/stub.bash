#!/bin/bash
# Stands in for every program that changes a system; its name says which one it is.
name=${0##*/}
echo "$name $*" >>"$STUB_LOG"
refusals="$STUB_DIR/refuse/$name-$1"
if [ -s "$refusals" ]; then
    head -n 1 "$refusals" >&2
    sed -i 1d "$refusals"
    exit 1
fi
case "$name $*" in
curl*openstack/latest/meta_data.json*) echo '{"name": "node-0", "uuid": "u"}' ;;
curl*latest/meta-data/local-ipv4*) echo 10.0.0.10 ;;
curl*POST*openstack/latest/password) [ ! -e "$STUB_DIR/password" ] || exit 22
    printf %s "$*" | sed 's/.*--data-binary \([^ ]*\).*/\1/' >"$STUB_DIR/password"
    [ ! -e "$STUB_DIR/lost_answer" ] || exit 52 ;;
curl*openstack/latest/password) cat "$STUB_DIR/password" ;;
curl*/v1/enrolments) cat >>"$STUB_DIR/asked.json"
    answer=$(sed 's/.*-o \([^ ]*\).*/\1/' <<<"$*")
    cp "$STUB_DIR/bundle.json" "$answer" 2>/dev/null && printf 201 && exit
    echo '{"errors": [{"detail": "No secrets for this server: too early"}]}' >"$answer"
    printf 403 ;;
curl*/v1/enrolments/reports) cat >>"$STUB_DIR/signals.json"; printf 204 ;;
curl*auth/tokens*) cat >"$STUB_DIR/login.json"; printf 'HTTP/1.1 201\r\nX-Subject-Token: t0k\r\n' ;;
curl*/signal) cat >>"$STUB_DIR/signals.json" ;;
curl*manifests.tar.gz*) cp "$STUB_DIR/manifests.tar.gz" "$(sed 's/.*-o \([^ ]*\).*/\1/' <<<"$*")" ;;
'kubeadm version -o short') echo v1.36.2 ;;
'kubeadm config images list --kubernetes-version v1.36.2'*)
    from=registry.k8s.io dns=coredns/coredns
    [[ $* != *--image-repository* ]] || from=${*: -1} dns=coredns
    printf "$from/%s\n" kube-apiserver:v1.36.2 kube-controller-manager:v1.36.2 \
        kube-scheduler:v1.36.2 kube-proxy:v1.36.2 "$dns:v1.14.2" pause:3.10.2 etcd:3.6.8-0 ;;
'ctr --namespace k8s.io images list --quiet') cat "$STUB_DIR/images" 2>/dev/null ;;
'ctr --namespace k8s.io images pull --hosts-dir '*)
    echo -e '\x1b[2K\rresolving ...'
    image=${*: -1}
    cat "$STUB_DIR/pull-${image##*/}" >&2 2>/dev/null && exit 1 ;;
'kubeadm init'* | 'kubeadm join'*)
    cp "${*: -1}" "$STUB_DIR/kubeadm.yaml"
    env -0 >"$STUB_DIR/environment"
    discovery=$(jq -r '.discovery.file.kubeConfigPath? // empty' "${*: -1}" 2>/dev/null)
    [ -z "$discovery" ] || cp "$discovery" "$STUB_DIR/discovery.json"
    [[ $* == join* || $* == *--skip-token-print* ]] || cat "$STUB_DIR/kubeadm.yaml"  # has it
    cat "$STUB_DIR/kubeadm.out" 2>/dev/null && exit 1
    cat "$STUB_DIR/kubeadm.words" 2>/dev/null && sleep 50
    touch "$STUB_DIR/../etc/kubernetes/kubelet.conf" ;;
'ip -json -4 route'*) echo '[{"dst":"10.0.0.0/20","dev":"ens3"}]' ;;
'containerd --version') cat "$STUB_DIR/containerd.version" ;;
'kubectl get node '*) [ ! -e "$STUB_DIR/hang" ] || sleep 60
    cat "$STUB_DIR/node.json" ;;
'kubectl get pods'*) echo "$KUBECONFIG" >"$STUB_DIR/kubeconfig"
    cat "$STUB_DIR/first-pods.json" 2>/dev/null || cat "$STUB_DIR/pods.json"
    rm -f "$STUB_DIR/first-pods.json" ;;
esac
exit 0
