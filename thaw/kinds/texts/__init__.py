"""The kind `texts`: sentences, messages, reviews, whole documents."""
