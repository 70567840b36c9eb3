"""The transfer certificate for people: its page, its words, its figures."""
