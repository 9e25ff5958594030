"""Parts of TextFooler: words of a text, their tags, candidates and similarity, and what was asked already."""
