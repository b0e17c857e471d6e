"""Madang (마당): one courtyard between your applications and the language models."""

__version__ = "0.1.0"
__all__ = ["__version__"]
