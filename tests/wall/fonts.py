"""What tests do on a machine without a Chinese font."""

from __future__ import annotations

import os

import pytest

from projects.wall_chart.files import chinese_font

#: Without a font these tests are skipped (`make browser` installs one). Where CI is set they run and fail instead:
#: nobody reads the list of skipped tests there, and PDF and PNG would be tested by nobody.
needs_font = pytest.mark.skipif(
    not chinese_font(()) and not os.environ.get("CI"),
    reason="no Chinese font on this machine: apt install fonts-noto-cjk",
)
