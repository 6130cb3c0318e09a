"""A model as a folder: what it is, read without torch (``header``), and its network (``folder``)."""
