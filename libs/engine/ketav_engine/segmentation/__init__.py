"""Segmentation: the lines of a page, by its ink."""
