"""The one call to the model: the door, what its replies mean, and what may be asked of it."""
