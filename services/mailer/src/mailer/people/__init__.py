"""What people decide about emails."""
