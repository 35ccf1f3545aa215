"""Run training/walkthrough.ipynb in place, top to bottom: `python -m training.walkthrough`."""

from __future__ import annotations

import os
from pathlib import Path

import nbformat
from nbclient import NotebookClient

NOTEBOOK = Path(__file__).with_name("walkthrough.ipynb")
CELL_SECONDS = 600


def walk_through(notebook: Path) -> None:
    """Execute a notebook in place, from the root of the checkout. Raises nbclient's CellExecutionError."""
    os.environ |= {"TF_CPP_MIN_LOG_LEVEL": "3", "PYTHONWARNINGS": "ignore"}  # the kernel inherits them
    pages = nbformat.read(notebook, as_version=4)
    root = str(notebook.resolve().parent.parent)
    NotebookClient(pages, timeout=CELL_SECONDS, resources={"metadata": {"path": root}}).execute()
    for cell in pages.cells:
        cell.metadata.pop("execution", None)  # times of day change with every run
        if cell.cell_type == "code":  # libraries' warnings name folders of this machine
            cell.outputs = [output for output in cell.outputs if output.get("name") != "stderr"]
    nbformat.write(pages, notebook)


if __name__ == "__main__":
    walk_through(NOTEBOOK)
