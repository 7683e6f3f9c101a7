"""The `mediawright` command: arguments, tables and progress; no business rule."""
