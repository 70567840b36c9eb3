"""The kind `sounds`: spoken words, machines, birds, whole recordings."""
