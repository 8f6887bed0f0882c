"""What ``python -m client_api`` can do. Each command loads only what it needs."""
