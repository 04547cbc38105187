"""`python -m nightbell` is the `nightbell` command."""

from nightbell.cli.main import main

if __name__ == "__main__":
    main()
