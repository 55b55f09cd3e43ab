"""The wall chart (挂图作战): a programme as bars over months, on a page and on sheets of paper.

`timeline`, `rows`, `layout`, `drawing` and `sheets` know no database and no clock; `reading` asks the
database through the wall; `files` makes PDF and PNG of the sheets.
"""
