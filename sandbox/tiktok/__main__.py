"""Run the emulator as a process: `python -m sandbox.tiktok --port 0`."""

from sandbox.tiktok.emulator import main

main()
