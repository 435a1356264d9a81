"""Does not survive being read."""

raise SystemExit("gone")
