"""`python -m console`, the same as `tiktok-activation`."""

from console.cli import main

if __name__ == "__main__":
    main()
