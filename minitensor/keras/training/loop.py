"""Placeholder of the contract of fit and resume: see /tmp/house4_resume.md."""
