"""The site: executed notebooks and pages, built by Jupyter Book."""
