"""What can be done with a batch, each step one short transaction: submit, open, read, rescue, follow.

The local run and the queue both call these and nothing else. All ids are the database's own integers.
Import from the modules: those who only follow a batch need neither OpenCV nor a model.
"""
