"""Print the JSON Schema of a record, for `bench/record/record.schema.json`."""

import json

from bench.record import Record

if __name__ == "__main__":
    print(json.dumps(Record.model_json_schema(), indent=2))
