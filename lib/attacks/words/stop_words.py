"""English function words, which TextFooler leaves alone: they carry the grammar, not the content.

A list of our own, by part of speech; the article and its code take another of about the same words.
"""

_PRONOUNS = """
    i me my mine myself we us our ours ourselves you your yours yourself yourselves he him his himself she her
    hers herself it its itself they them their theirs themselves one oneself who whom whose which what whoever
    whomever whatever whichever anybody anyone anything everybody everyone everything nobody none nothing
    somebody someone something each other another both either neither
"""
_DETERMINERS = """
    a an the this that these those all any every some no such same much many more most few fewer less least
    several own half enough only just
"""
_CONJUNCTIONS = """
    and or but nor so yet for if unless until while whilst whereas although though because since as than that
    whether when whenever where wherever once lest provided
"""
_PREPOSITIONS = """
    aboard about above across after against along amid among amongst around at before behind below beneath
    beside besides between beyond by concerning despite down during except from in inside into like near of
    off on onto opposite out outside over past per regarding round through throughout thru till to toward
    towards under underneath unlike up upon via with within without versus
"""
_AUXILIARIES = """
    am is are was were be been being do does did doing done have has had having will would shall should can
    could may might must ought cannot used dare need
"""
_ADVERBS = """
    not never ever also again already always almost often too very quite rather really then there here now how
    why however therefore thus hence else even still yet perhaps maybe together away back first last otherwise
    moreover furthermore meanwhile nevertheless nonetheless indeed instead somehow somewhere anywhere
    everywhere nowhere anyway anyhow sometimes sometime soon later afterwards beforehand hereby thereby
    wherein herein therein thereafter
"""
# What other tokenisers leave of shortened forms.
_REMNANTS = """
    s t d m ll re ve n't 's 'm 're 've 'll 'd don isn aren wasn weren doesn didn hasn haven hadn won wouldn
    shouldn couldn mightn mustn needn ain shan can't o'clock
"""
_NEGATED = "are is was were do does did have has had would should could might must need ought ai ca wo sha"
_SHORTENED = {
    "'m": "i",
    "'s": "he she it that there here what who where when how why let",
    "'re": "you we they who what there these those",
    "'ve": "i you we they who should would could might must",
    "'ll": "i you he she it we they that there who what",
    "'d": "i you he she it we they that there who how",
}

_PLAIN = _PRONOUNS + _DETERMINERS + _CONJUNCTIONS + _PREPOSITIONS + _AUXILIARIES + _ADVERBS + _REMNANTS
STOP_WORDS = frozenset(
    [word + ending for ending, words in _SHORTENED.items() for word in words.split()]
    + [f"{word}n't" for word in _NEGATED.split()]
    + _PLAIN.split()
)
