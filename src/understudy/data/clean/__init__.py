"""Cleaning: what is kept out of training, each row with its reason. Nothing vanishes."""

from understudy.data.clean.rejection import is_rejected, kind_of_rejection
from understudy.data.clean.settings import ABOUT_LABELS, Cleaning
from understudy.data.clean.sift import check_available, screen, sift

__all__ = ["ABOUT_LABELS", "Cleaning", "check_available", "is_rejected", "kind_of_rejection", "screen", "sift"]
