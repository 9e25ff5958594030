"""A random BERT of three small layers with a tokenizer of whole words, saved as a real one is."""

import torch
from transformers import BertConfig, BertModel, BertTokenizer

from lib.data.text import Part, Split

GOOD, BAD = (
    ("good", "fine", "superb", "lovely", "warm", "bright"),
    ("bad", "poor", "awful", "dull", "cold", "grim"),
)
PLAIN = ("film", "plot", "actor", "scene", "music", "story", "ending", "camera", "script", "city", "house",
         "river", "garden", "window", "market")  # fmt: skip
NEIGHBOURS = {word: [other for other in group if other != word] for group in (GOOD, BAD) for word in group}
NEIGHBOURS |= {word: [other for other in PLAIN if other != word][:4] for word in PLAIN}


def save(folder, *, layers=3, width=32):
    """The model and its tokenizer in `folder`; a word that is not known becomes pieces of letters."""
    letters = [chr(c) for c in range(ord("a"), ord("z") + 1)]
    vocabulary = [
        "[PAD]",
        "[UNK]",
        "[CLS]",
        "[SEP]",
        "[MASK]",
        ".",
        ",",
        *GOOD,
        *BAD,
        *PLAIN,
        "the",
        "a",
        "and",
    ]
    vocabulary += letters[1:] + [f"##{letter}" for letter in letters]
    (folder / "vocab.txt").write_text("\n".join(vocabulary))
    config = BertConfig(
        vocab_size=len(vocabulary), hidden_size=width, num_hidden_layers=layers, num_attention_heads=4,
        intermediate_size=2 * width, max_position_embeddings=64,
    )  # fmt: skip
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = BertModel(config)
    model.save_pretrained(folder)
    BertTokenizer(vocab=str(folder / "vocab.txt")).save_pretrained(folder)
    return folder


def split(name, *, classes=("negative", "positive"), count=60, words=14):
    """Sentences of `words` words whose class is told by the words of its kind among plain ones."""
    generator = torch.Generator().manual_seed(sum(map(ord, name)))

    def pick(group):
        return group[int(torch.randint(len(group), (), generator=generator))]

    def part(size):
        texts, labels = [], []
        for number in range(size):
            label = number % len(classes)
            kind = (BAD, GOOD, PLAIN[:3], PLAIN[3:6])[label]
            rated = [pick(kind) if place % 3 == 0 else pick(PLAIN) for place in range(words - number % 3)]
            texts.append(" ".join(rated) + f" {number}")
            labels.append(label)
        return Part(texts, torch.tensor(labels), list(classes))

    return Split(name, part(count), part(count // 2), part(count))
