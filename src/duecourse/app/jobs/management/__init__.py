"""Commands for the command line of the installation."""
