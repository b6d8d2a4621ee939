"""Facts about caches: whose directory, who uses it, what feeds what."""
