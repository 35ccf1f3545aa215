"""How many of the accepted fields of a batch may be wrong, where whoever submitted it said so."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("batches", sa.Column("target_error", sa.Double(), nullable=True))
