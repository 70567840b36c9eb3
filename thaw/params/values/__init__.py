"""The values of a run: their readers, and what follows from them. Stages depend on this folder; on the sections they depend key by key."""
