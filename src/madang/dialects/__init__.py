"""Wire formats: pure code between bytes and our own words. A dialect never imports a dialect."""
