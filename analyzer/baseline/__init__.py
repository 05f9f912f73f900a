"""What is usual on a network: learned from days of records, kept in a file, compared with others.

Data flows one way here, too: ``tables`` (what a baseline holds) and ``bins`` (its scales), then
``summary`` and ``samples`` (records summed up), ``baseline`` (a window of days), and what asks it.
"""
