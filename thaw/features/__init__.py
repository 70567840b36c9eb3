"""Features: what the frozen backbone says of every example, computed once."""
