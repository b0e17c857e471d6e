"""What is kept of calls that have ended: records on their way to the store and other sinks."""
