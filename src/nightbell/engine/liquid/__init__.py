"""The language of templates: Liquid, in a sandbox. templates.py is the way in; a value is data and never a template."""
