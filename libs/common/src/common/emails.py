"""How long an email may be, in characters, without white space at its ends.

client-api takes no wording that the mailer would refuse for its length.
"""

SUBJECT_CHARS = (3, 100)
BODY_CHARS = (60, 1500)
"""Of a draft by the model."""
EDITED_BODY_CHARS = (60, 3000)
"""What a person writes may be twice as long."""
