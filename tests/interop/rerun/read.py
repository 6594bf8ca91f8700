"""Prints what a .rrd file holds, read by rerun's own reader."""

import json
import sys
from collections import defaultdict

from rerun.chunk import RrdReader


def main(file: str) -> None:
    """Rows by entity of what changes and of what does not, texts, and the last number of each series."""
    reader = RrdReader(file)
    rows, static, events, last = defaultdict(int), defaultdict(int), defaultdict(list), {}
    for chunk in reader.stream().to_chunks():
        name = chunk.entity_path
        if chunk.is_static:
            static[name] += chunk.num_rows
            continue
        batch = chunk.to_record_batch()
        columns = batch.schema.names
        steps = batch.column(columns.index("step")).to_pylist()
        rows[name] += len(steps)
        if "TextLog:text" in columns:
            texts = batch.column(columns.index("TextLog:text")).to_pylist()
            events[name] += list(zip(steps, [text[0] for text in texts], strict=True))
        if "Scalars:scalars" in columns:
            last[name] = batch.column(columns.index("Scalars:scalars")).to_pylist()[-1][0]
    told = {name: [text for _, text in sorted(found, key=lambda e: e[0])] for name, found in events.items()}
    print(
        json.dumps(
            {
                "rows": rows,
                "static": static,
                "events": told,
                "last": last,
                "blueprints": len(reader.blueprints()),
            }
        )
    )


if __name__ == "__main__":
    main(sys.argv[1])
