"""The release of xaudit that this package belongs to; a test compares it with the program's."""

__version__ = "0.2.0"
