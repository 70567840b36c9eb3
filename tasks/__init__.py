"""The stages: each module reads its inputs, makes one pure call into `thaw`, and writes its outputs."""
