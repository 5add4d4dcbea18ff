"""One module a page, each with `show(person: Person) -> None`. What several pages share is in `components`."""
