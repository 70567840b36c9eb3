"""What `thaw up` keeps alive."""
