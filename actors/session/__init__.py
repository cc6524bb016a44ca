"""A user's session: `actor` takes what is said to it; the others are its parts, `messages` what is said."""
