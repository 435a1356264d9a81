"""A package, so that what its tests share (server, browser) ends with the last of them."""
