"""Jobs: the reading of many pages in the background, followed and cancelled."""
