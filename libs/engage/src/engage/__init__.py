"""What operators do with the running system, as a library and as one command line."""
