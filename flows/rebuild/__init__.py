"""The rebuild of a version: `thaw reproduce`."""
