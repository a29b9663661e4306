"""The Kubernetes driver: clusters of kubeadm nodes in Heat stacks."""
