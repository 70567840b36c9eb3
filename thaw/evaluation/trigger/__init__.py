"""The evaluation of a trigger for people: its measures, its words, its figures, its pages."""
