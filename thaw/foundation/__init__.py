"""What everything stands on: errors, files, parallel work, statistics."""
