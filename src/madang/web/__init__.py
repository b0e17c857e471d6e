"""Everything a client or a browser reaches: the model endpoints below ASGI, pages and admin above it."""
