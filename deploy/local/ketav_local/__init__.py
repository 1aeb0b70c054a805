"""Starts every process of the system on one machine and supervises them."""
