"""What closes Faust's holes: one small module a hole, each for the versions it was read against."""
