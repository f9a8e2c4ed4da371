"""All four services in one process, the demo, and the operators' command line."""
