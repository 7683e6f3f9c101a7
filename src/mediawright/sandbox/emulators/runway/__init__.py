"""The Runway API: tasks that make pictures, clips and speech."""
