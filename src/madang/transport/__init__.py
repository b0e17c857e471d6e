"""The one door to the network; nothing else in the house opens a socket to a provider."""
