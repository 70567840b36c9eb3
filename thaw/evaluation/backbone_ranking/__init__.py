"""The ranking of backbones as a page: accuracy against cost, with the front of those that no other beats in both."""
