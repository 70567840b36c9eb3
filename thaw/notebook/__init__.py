"""Thaw in a notebook or a script, with no project: what `import thaw` offers (`thaw.notebook.names`)."""
