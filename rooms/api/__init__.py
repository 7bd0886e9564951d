"""Rooms for tools: the same rows, filters and services as the pages."""
