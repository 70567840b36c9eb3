"""What stands between a challenger and the alias `champion`: one small module a gate, and the decision on all of them together."""
