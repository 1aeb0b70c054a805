"""The test engine and the fault points: extensions that only development environments install."""
