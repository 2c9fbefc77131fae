"""`python -m gateway` is `activesync-gateway`."""

from gateway.cli import main

if __name__ == "__main__":
    main()
