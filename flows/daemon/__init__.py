"""The services that `thaw up` keeps alive."""
