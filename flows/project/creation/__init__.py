"""A new project: its files, their creation, and their upgrade."""
