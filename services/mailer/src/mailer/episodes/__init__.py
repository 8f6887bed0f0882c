"""The ledger of episodes: what the scorer tells, who may be written to, and when."""
