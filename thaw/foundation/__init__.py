"""The foundation of all other rooms: errors, files, parallel work, statistics."""
