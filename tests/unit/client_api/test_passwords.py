"""What Postgres stores of a password."""

from client_api.migrate import scram_verifier


def test_the_verifier_is_the_one_that_postgres_makes() -> None:
    """Compared with one that Postgres 15 made of the same password and salt."""
    kept = (
        "SCRAM-SHA-256$4096:jcKCJJmf7fkeu7ZVfgAyvg==$VOUsYe1+HVmEYbXA3ftQOR+0vMxhHE4eGnKB8YoUgP0="
        ":Sz6hUjx1TaMpBJg9bbpGyj5ttae15Uc7vj44j/BisK0="
    )
    salt = "8dc28224999fedf91ebbb6557e0032be"
    assert scram_verifier("pencil", bytes.fromhex(salt)) == kept
