"""What all sections of the configuration have in common."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Section(BaseModel):
    """What all sections have in common: no key is unknown, and none changes."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)
