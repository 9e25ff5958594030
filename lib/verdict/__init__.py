"""The verdict on the paper: every claim a row, decided by a rule that was written beforehand.

The rule was fixed before any recorded result on text, attributes or tasks was looked at; the results on
images and radial basis functions were known by then. Its parts:

Statements of the theory. 'holds': every proof step of the statement is proved by exact algebra, by the
paper's proof or by another. 'holds weakly': proved only in a special case of what the sentence says. 'false
as printed': an exact instance refutes it.

Sentences about a correlation. The statistic is Kendall's tau-b between a measure of adversarial
transferability and a measure of knowledge transfer, over the sources of one target and one seed, averaged
over targets and seeds. Two kinds of chance must be excluded. (1) Other sources: one-sided p <= .05 when the
sources are permuted, each with all its targets and seeds together. (2) Other seeds: the 95 % Student's t
interval over seeds of the mean tau-b lies above 0. 'holds': both. 'holds weakly': one of the two. 'false as
printed': the mean is negative and p <= .05 in the opposite direction. 'not shown': otherwise, or if no run
is recorded. Targets whose reference model is below its floor ('not a test') are left out.

Sentences about the synthetic sweep (section 4.1). They are about an order along t, which any two monotone
curves share. 'holds' needs that order (interval over seeds above 0) and, at fixed t among the directions of
one seed, (1) and (2) as above; the order along t alone is 'holds weakly'; an order against the claim along
t, interval below 0, is 'false as printed'.

Sentences about the best source. 'holds': on every target the source with the largest measure, by means over
seeds, has the best knowledge transfer, and such hits are more frequent, over targets and seeds, than when
the sources are permuted as above (p <= .05). 'holds weakly': only the second. 'not shown': neither.

Sentences over all settings. The statistic is the mean over settings of the setting's mean tau-b for the
pair that its section is about. (1) is the same permutation, in all settings at once; (2) is Student's t
interval over the settings. The four settings of the question are images, text, attributes and tasks; the
synthetic sweep, at fixed t, is reported beside them. A sentence that says "strong" needs a mean tau-b of at
least .5 as well, or is at most 'holds weakly'.

Sentences about a size or a cause are inequalities, printed with the row. 'holds': true at 90 % of the
recorded points with t > 0; 'holds weakly': at half of them; 'not shown' otherwise.

Sentences about trees of tasks. The score is the adjusted Rand index at three categories, or the entropy of
the categories (or of the other tree's clusters) averaged over three clusters and more. (1) p <= .05 against
the trees of shuffled matrices, all seeds together; (2) the same in every seed by itself. 'holds': both;
'holds weakly': one; 'not shown': neither.

Sentences that something can happen ("is not sufficient"). 'holds': the recorded run has a pair of sources
that shows it in every seed. 'not shown' otherwise.

No p is corrected for the number of rows: the page says how many there are.
"""
