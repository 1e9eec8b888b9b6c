"""The browser's side: pages, modules, styles and words as files, and how they are turned into assets.

Owns: the files under this folder and their names on the wire (`assets`). Refuses to know: routes, accounts
and rooms; the pages speak the public protocol like any other client.
"""
