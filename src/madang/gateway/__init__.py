"""The journey of a call. Read `pipeline.py` first; everything else is reached from it."""
