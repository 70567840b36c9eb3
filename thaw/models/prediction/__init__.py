"""The trained model that answers: backbone and head, and the form of an answer."""
