"""Home folders in texts: written as `~`, for they name their owner."""

import os
import re
from pathlib import PurePath

# not before a letter that would make it another folder's name
END = r"(?![\w.-])"


def home_pattern(home: str) -> re.Pattern[str] | None:
    """Where a text has this home folder; None for a container's, which may be `/` or nothing."""
    return re.compile(re.escape(home.rstrip("/")) + END) if len(PurePath(home).parts) > 1 else None


def shortened(text: str | None) -> str | None:
    """With `~` for the home folder of whoever runs this; a text that is not there stays so."""
    pattern = home_pattern(os.environ.get("HOME", ""))
    return text if text is None or pattern is None else pattern.sub("~", text)
