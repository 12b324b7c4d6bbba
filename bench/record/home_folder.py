"""Replace home folders in texts by `~`, because they name their owner."""

import os
import re
from pathlib import PurePath

# not if a following letter makes it the name of another folder
END = r"(?![\w.-])"


def home_pattern(home: str) -> re.Pattern[str] | None:
    """Return a pattern that matches this home folder in a text.

    None for a container's home folder, which may be `/` or empty.
    """
    return re.compile(re.escape(home.rstrip("/")) + END) if len(PurePath(home).parts) > 1 else None


def shortened(text: str | None) -> str | None:
    """Replace the current user's home folder by `~`; None stays None."""
    pattern = home_pattern(os.environ.get("HOME", ""))
    return text if text is None or pattern is None else pattern.sub("~", text)
