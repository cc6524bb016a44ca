"""Records and rows: every field of a job has its column, in the same order."""

from __future__ import annotations

from msgspec.structs import replace

from storage.operations import Applied, JobRecord, Offer, Track
from storage.rows import JOB_COLUMNS
from tests.storage.book import Book, gather


def test_a_jobs_columns_are_the_fields_of_its_record() -> None:
    fields = [name for name in JobRecord.__struct_fields__ if name not in ("images", "history")]
    assert [column.name for column in JOB_COLUMNS] == fields


def test_every_field_comes_back_as_it_was_stored(book: Book) -> None:
    offers = (Offer("upscale", 1, "U1", "MJ::ü"), Offer("reroll", None, "🔄", "MJ::r"))
    job = book.submitting(images_in=("https://a/ü.png", "upload-1"), prompt='a "red" fox\n🦊')
    book.do(Track(job, 1, "i", "m", "h", 5.0))
    outcome = book.do(replace(gather(job, 6.0), offers=offers, text="a fox, seen"))
    assert isinstance(outcome, Applied)
    stored = book.job(job)
    assert (stored.offers, stored.text) == (offers, "a fox, seen")
    assert stored.images_in == ("https://a/ü.png", "upload-1")
    assert stored.prompt == 'a "red" fox\n🦊'
    assert outcome.job == replace(stored, history=())
