"""The champion behind HTTP: `thaw serve`."""
