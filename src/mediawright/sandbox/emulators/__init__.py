"""One package per vendor; `mediawright.sandbox.kit` says how to write one."""
