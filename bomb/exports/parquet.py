"""Tables as LeRobot's readers expect them: Arrow types, and the schema of the `datasets` library."""

import io
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

import numpy as np

from core.errors import missing_extra

if TYPE_CHECKING:
    import pyarrow

PICTURES = ("image",)


def arrow() -> Any:
    """pyarrow with its Parquet half.

    Raises:
        BombError: naming the extra that brings it.
    """
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError:
        raise missing_extra("the LeRobot formats", "data") from None
    return pyarrow


def schema(features: Mapping[str, dict[str, Any]]) -> "pyarrow.Schema":
    """The schema of frames.

    Args:
        features: as ``info.json`` has them; videos are no columns.
    """
    pa = arrow()
    fields: list[pyarrow.Field] = []
    described: dict[str, dict[str, Any]] = {}
    for name, feature in features.items():
        dtype, shape = feature["dtype"], feature["shape"]
        if dtype == "video":
            continue
        if dtype == "image":
            kind = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
            described[name] = {"_type": "Image"}
        elif list(shape) == [1]:
            kind = pa.string() if dtype == "string" else pa.type_for_alias(dtype)
            described[name] = {"dtype": dtype, "_type": "Value"}
        else:
            kind = pa.list_(pa.type_for_alias(dtype), shape[0])
            inner = {"dtype": dtype, "_type": "Value"}
            described[name] = {"feature": inner, "length": shape[0], "_type": "Sequence"}
        fields.append(pa.field(name, kind))
    metadata = {"huggingface": json.dumps({"info": {"features": described}})}
    return pa.schema(fields, metadata=metadata)


def table(columns: Mapping[str, Any], wanted: "pyarrow.Schema") -> "pyarrow.Table":
    """Columns as a table.

    Args:
        columns: [N] or [N, k] arrays, lists of strings, or lists of encoded pictures (bytes).
        wanted: the schema, which names the columns in their order.
    """
    pa = arrow()
    arrays = []
    for field in wanted:
        values = columns[field.name]
        if pa.types.is_struct(field.type):
            pictures = pa.array(values, pa.binary())
            arrays.append(
                pa.StructArray.from_arrays(
                    [pictures, pa.nulls(len(values), pa.string())], fields=list(field.type)
                )
            )
        elif pa.types.is_fixed_size_list(field.type):
            flat = pa.array(np.ascontiguousarray(values).reshape(-1), field.type.value_type)
            arrays.append(pa.FixedSizeListArray.from_arrays(flat, field.type.list_size))
        else:
            arrays.append(pa.array(values, field.type))
    return pa.Table.from_arrays(arrays, schema=wanted)


class TableFile:
    """A Parquet file that grows by one row group per episode.

    Args:
        path: the file.
        wanted: its schema.
    """

    def __init__(self, path: Path, wanted: "pyarrow.Schema"):
        pa = arrow()
        path.parent.mkdir(parents=True, exist_ok=True)
        self._schema = wanted
        # Pictures are compressed already, and no two are alike.
        plain = [field.name for field in wanted if not pa.types.is_struct(field.type)]
        self._writer = pa.parquet.ParquetWriter(
            path, wanted, compression="snappy", use_dictionary=plain, write_statistics=plain
        )

    def add(self, columns: Mapping[str, Any]) -> None:
        """Appends rows, see ``table``."""
        self._writer.write_table(table(columns, self._schema))

    def close(self) -> None:
        """Ends the file."""
        self._writer.close()

    def __enter__(self) -> "TableFile":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def indexed_table(index: Sequence[str], columns: Mapping[str, np.ndarray]) -> bytes:
    """A Parquet file that pandas reads back with ``index`` as the index of the frame."""
    pa = arrow()
    stored = "__index_level_0__"
    kinds = {name: str(values.dtype) for name, values in columns.items()}
    described = [_pandas_column(name, name, kind, kind) for name, kind in kinds.items()]
    described.append(_pandas_column(None, stored, "unicode", "object"))
    pandas = {
        "index_columns": [stored],
        "column_indexes": [
            {
                "name": None,
                "field_name": None,
                "pandas_type": "unicode",
                "numpy_type": "object",
                "metadata": {"encoding": "UTF-8"},
            }
        ],
        "columns": described,
        "creator": {"library": "pyarrow", "version": pa.__version__},
        "pandas_version": "2.0.0",
    }
    made = pa.table({**columns, stored: pa.array(list(index), pa.string())})
    made = made.replace_schema_metadata({"pandas": json.dumps(pandas)})
    return in_bytes(made)


def in_bytes(table: "pyarrow.Table") -> bytes:
    """A small table as a Parquet file, to be written at once: Arrow itself writes column by column."""
    buffer = io.BytesIO()
    arrow().parquet.write_table(table, buffer, compression="snappy")
    return buffer.getvalue()


def _pandas_column(name: str | None, field: str, pandas_type: str, numpy_type: str) -> dict[str, Any]:
    return {
        "name": name,
        "field_name": field,
        "pandas_type": pandas_type,
        "numpy_type": numpy_type,
        "metadata": None,
    }
