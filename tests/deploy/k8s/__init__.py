"""deploy/k8s on real API servers: what they admit, simulated nodes, and real pods."""
