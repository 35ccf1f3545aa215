"""The first schema: batches, documents, pages, readings, fields, and two views for analysts."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)
JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
SORTED = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

# One row a field of the current readings, with the value, cells and status of whoever corrected it last.
V_FIELDS = """
CREATE VIEW v_fields AS
SELECT
    b.name AS batch, d.path AS document, p.number AS page, f.name AS field,
    COALESCE(c.value, f.value) AS value, f.value AS machine_value,
    COALESCE(c.status, f.status) AS status, f.confidence AS confidence,
    COALESCE(c.cells, f.cells) AS cells, f.confidences AS confidences, f.reasons AS reasons,
    f.position AS position, f.x AS x, f.y AS y, f.width AS width, f.height AS height,
    c.author AS corrected_by, c.created_at AS corrected_at, r.read_at AS read_at,
    m.sha256 AS model, t.name || '@' || CAST(t.version AS TEXT) AS template,
    d.root AS root, p.state AS page_state, p.width AS page_width, p.height AS page_height, p.dpi AS dpi,
    b.id AS batch_id, d.id AS document_id, p.id AS page_id, r.id AS reading_id, f.id AS field_id
FROM fields f
JOIN readings r ON r.id = f.reading_id AND r.is_current
JOIN pages p ON p.id = r.page_id
JOIN documents d ON d.id = p.document_id
JOIN batches b ON b.id = d.batch_id
JOIN model_versions m ON m.id = r.model_id
LEFT JOIN templates t ON t.id = r.template_id
LEFT JOIN corrections c ON c.field_id = f.id
    AND NOT EXISTS (SELECT 1 FROM corrections newer WHERE newer.field_id = c.field_id AND newer.id > c.id)
"""

# One row a printed box of v_fields: what the machine read in it, "" where it is blank.
V_DIGITS = """
CREATE VIEW v_digits AS
SELECT
    v.batch, v.document, v.page, v.field, {cell} AS cell, {label} AS label, {confidence} AS confidence,
    v.value, v.machine_value, v.status, v.confidence AS field_confidence, v.position, v.read_at,
    v.model, v.template, v.batch_id, v.document_id, v.page_id, v.reading_id, v.field_id
FROM v_fields v JOIN fields f ON f.id = v.field_id CROSS JOIN {cells}
"""
V_DIGITS_SQLITE = V_DIGITS.format(
    cells="json_each(f.cells) c",
    cell="CAST(c.key AS INTEGER)",
    label="c.value",
    confidence="json_extract(f.confidences, '$[' || c.key || ']')",
)
V_DIGITS_POSTGRESQL = V_DIGITS.format(
    cells="LATERAL jsonb_array_elements_text(f.cells) WITH ORDINALITY AS c(label, place)",
    cell="CAST(c.place - 1 AS INTEGER)",
    label="c.label",
    confidence="CAST(f.confidences ->> CAST(c.place - 1 AS INTEGER) AS DOUBLE PRECISION)",
)

KEEP_CORRECTIONS_SQLITE = (
    "CREATE TRIGGER corrections_stay_as_written BEFORE UPDATE ON corrections "
    "BEGIN SELECT RAISE(ABORT, 'corrections are only ever added'); END",
    "CREATE TRIGGER corrections_stay BEFORE DELETE ON corrections "
    "BEGIN SELECT RAISE(ABORT, 'corrections are only ever added'); END",
)
KEEP_CORRECTIONS_POSTGRESQL = (
    "CREATE FUNCTION refuse_to_change_corrections() RETURNS trigger LANGUAGE plpgsql AS "
    "$$ BEGIN RAISE EXCEPTION 'corrections are only ever added'; END $$",
    "CREATE TRIGGER corrections_stay BEFORE UPDATE OR DELETE ON corrections "
    "FOR EACH ROW EXECUTE FUNCTION refuse_to_change_corrections()",
)


def upgrade() -> None:
    op.create_table(
        "batches",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", SORTED, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("finished_at", TIME, nullable=True),
        sa.CheckConstraint(
            "state IN ('submitting', 'sealed', 'done', 'cancelled')", name=op.f("ck_batches_state")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_batches")),
        sa.UniqueConstraint("name", name=op.f("uq_batches_name")),
    )
    op.create_table(
        "model_versions",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.String(length=71), nullable=False),
        sa.Column("architecture", sa.Text(), nullable=False),
        sa.Column("glyph_recipe", sa.Text(), nullable=False),
        sa.Column("card", JSON, nullable=False),
        sa.Column("first_used_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_model_versions")),
        sa.UniqueConstraint("sha256", name=op.f("uq_model_versions_sha256")),
    )
    op.create_table(
        "templates",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("definition", JSON, nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_templates")),
        sa.UniqueConstraint("name", "version", name=op.f("uq_templates_name_version")),
    )
    op.create_table(
        "workers",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("started_at", TIME, nullable=False),
        sa.Column("seen_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_workers")),
        sa.UniqueConstraint("name", name=op.f("uq_workers_name")),
    )
    op.create_table(
        "documents",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("batch_id", sa.Integer(), nullable=False),
        sa.Column("root", sa.Text(), nullable=False),
        sa.Column("path", SORTED, nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=True),
        sa.Column("bytes", sa.BigInteger(), nullable=True),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("page_count", sa.Integer(), nullable=True),
        sa.Column("submitted_at", TIME, nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("lease_token", sa.String(length=32), nullable=True),
        sa.Column("lease_holder", sa.Text(), nullable=True),
        sa.Column("lease_until", TIME, nullable=True),
        sa.Column("published_at", TIME, nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "state IN ('queued', 'opening', 'open', 'done', 'failed', 'cancelled')",
            name=op.f("ck_documents_state"),
        ),
        sa.ForeignKeyConstraint(
            ["batch_id"], ["batches.id"], name=op.f("fk_documents_batch_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_documents")),
        sa.UniqueConstraint("batch_id", "root", "path", name=op.f("uq_documents_batch_id_root_path")),
    )
    _create_partial_index("ix_documents_leased", "documents", ["lease_until"], "state = 'opening'")
    _create_partial_index("ix_documents_queued", "documents", ["published_at"], "state = 'queued'")
    _create_partial_index(
        "ix_documents_unfinished", "documents", ["batch_id"], "state IN ('queued', 'opening', 'open')"
    )
    op.create_table(
        "pages",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("document_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("width", sa.Integer(), nullable=True),
        sa.Column("height", sa.Integer(), nullable=True),
        sa.Column("dpi", sa.Double(), nullable=True),
        sa.Column("skew_degrees", sa.Double(), nullable=True),
        sa.Column("registration", JSON, nullable=True),
        sa.Column("stage_ms", JSON, nullable=True),
        sa.Column("finished_at", TIME, nullable=True),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("lease_token", sa.String(length=32), nullable=True),
        sa.Column("lease_holder", sa.Text(), nullable=True),
        sa.Column("lease_until", TIME, nullable=True),
        sa.Column("published_at", TIME, nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "state IN ('queued', 'reading', 'done', 'review', 'failed', 'cancelled')",
            name=op.f("ck_pages_state"),
        ),
        sa.ForeignKeyConstraint(
            ["document_id"], ["documents.id"], name=op.f("fk_pages_document_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pages")),
        sa.UniqueConstraint("document_id", "number", name=op.f("uq_pages_document_id_number")),
    )
    _create_partial_index("ix_pages_leased", "pages", ["lease_until"], "state = 'reading'")
    _create_partial_index("ix_pages_queued", "pages", ["published_at"], "state = 'queued'")
    op.create_table(
        "readings",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("page_id", sa.Integer(), nullable=False),
        sa.Column("reader_key", sa.String(length=64), nullable=False),
        sa.Column("model_id", sa.Integer(), nullable=False),
        sa.Column("template_id", sa.Integer(), nullable=True),
        sa.Column("segmentation_version", sa.Text(), nullable=False),
        sa.Column("rules", JSON, nullable=False),
        sa.Column("is_current", sa.Boolean(), nullable=False),
        sa.Column("read_at", TIME, nullable=False),
        sa.ForeignKeyConstraint(["model_id"], ["model_versions.id"], name=op.f("fk_readings_model_id")),
        sa.ForeignKeyConstraint(
            ["page_id"], ["pages.id"], name=op.f("fk_readings_page_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["template_id"], ["templates.id"], name=op.f("fk_readings_template_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_readings")),
        sa.UniqueConstraint("page_id", "reader_key", name=op.f("uq_readings_page_id_reader_key")),
    )
    op.create_index("ix_readings_model_id", "readings", ["model_id"])
    op.create_index("ix_readings_template_id", "readings", ["template_id"])
    _create_partial_index("uq_readings_current", "readings", ["page_id"], "is_current", unique=True)
    op.create_table(
        "fields",
        sa.Column("id", BIG_ID, nullable=False),
        sa.Column("reading_id", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("confidence", sa.Double(), nullable=False),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("reasons", JSON, nullable=False),
        sa.Column("cells", JSON, nullable=False),
        sa.Column("confidences", JSON, nullable=False),
        sa.Column("x", sa.Integer(), nullable=False),
        sa.Column("y", sa.Integer(), nullable=False),
        sa.Column("width", sa.Integer(), nullable=False),
        sa.Column("height", sa.Integer(), nullable=False),
        sa.Column("detail", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint(
            "status IN ('accepted', 'review', 'invalid', 'corrected', 'blank', 'struck', 'unreadable')",
            name=op.f("ck_fields_status"),
        ),
        sa.ForeignKeyConstraint(
            ["reading_id"], ["readings.id"], name=op.f("fk_fields_reading_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_fields")),
        sa.UniqueConstraint("reading_id", "position", name=op.f("uq_fields_reading_id_position")),
    )
    op.create_index("ix_fields_name", "fields", ["name"])
    op.create_table(
        "corrections",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("field_id", BIG_ID, nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("cells", JSON, nullable=False),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("author", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("created_at", TIME, nullable=False),
        sa.CheckConstraint(
            "status IN ('accepted', 'review', 'invalid', 'corrected', 'blank', 'struck', 'unreadable')",
            name=op.f("ck_corrections_status"),
        ),
        sa.ForeignKeyConstraint(["field_id"], ["fields.id"], name=op.f("fk_corrections_field_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_corrections")),
    )
    op.create_index("ix_corrections_field_id", "corrections", ["field_id"])
    sqlite = op.get_bind().dialect.name == "sqlite"
    op.execute(V_FIELDS)
    op.execute(V_DIGITS_SQLITE if sqlite else V_DIGITS_POSTGRESQL)
    for statement in KEEP_CORRECTIONS_SQLITE if sqlite else KEEP_CORRECTIONS_POSTGRESQL:
        op.execute(statement)


def _create_partial_index(
    name: str, table: str, columns: list[str], where: str, *, unique: bool = False
) -> None:
    op.create_index(
        name, table, columns, unique=unique, sqlite_where=sa.text(where), postgresql_where=sa.text(where)
    )
