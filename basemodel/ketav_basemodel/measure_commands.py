"""The commands that measure: the language model and its weights, lines of real writers, and other readers."""

import json
import shutil
import statistics
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from ketav_basemodel.evaluate import Pairs
from ketav_basemodel.paths import MATERIAL, NoBenchDataError, bench_data

MODEL = Path("models/hebrew_base.safetensors")
LANGUAGE = Path("models/hebrew_lm.npz")
_PRINTED_TRIALS = 8
"""Best trials of the fitted weights that are printed."""


def language(to: Path = LANGUAGE, model: Path = MODEL) -> None:
    """Train the character language model of the beam search, then fit the search's weights to it."""
    from ketav_basemodel import language_model, running_text, sentences

    bench = require_bench_data()
    trained = language_model.build(MATERIAL, bench, to)
    held_out = running_text.load(bench, MATERIAL, "validation")
    print("n-grams", len(trained.words.keys), "within words,", len(trained.running.keys), "of running text")
    texts = {
        "newspaper": sentences.read(MATERIAL)[::5],
        "sentences": held_out.sentences,
        "verses": held_out.verses[::5],
    }
    for name, lines in texts.items():
        print(f"bits per character, {name}: {language_model.bits(trained, lines):.3f}")
    tune(to, model)


def tune(language: Path = LANGUAGE, model: Path = MODEL) -> None:
    """Fit the weights of the beam search on validation lines and write them to the language model's file."""
    from dataclasses import replace

    from ketav_basemodel import tune as tuning
    from ketav_engine import models
    from ketav_engine.recognition import language_model

    loaded, unfitted = models.load(model.read_bytes()), language_model.read(language)
    lines = tuning.validation_lines(MATERIAL, require_bench_data(), loaded.info.height)
    outputs = tuning.outputs(loaded, lines)
    trials = tuning.fit(unfitted, loaded.net.codec, outputs, lines)
    for trial in trials[:_PRINTED_TRIALS]:
        print(f"{trial.cost:.4f} {trial.settings}")
    fitted = replace(unfitted, settings=trials[0].settings)
    fitted = replace(fitted, calibration=tuning.calibrate(fitted, loaded.net.codec, outputs, lines))
    print(fitted.calibration)
    language_model.write(fitted, language)
    for name, (greedy, beam) in tuning.compare(fitted, loaded.net.codec, outputs, lines).items():
        print(f"{name:16} {len(lines[name]):4} lines CER greedy {greedy:.4f} beam {beam:.4f}")


def unseen(model: Path = MODEL, language: Path = LANGUAGE) -> None:
    """Read the validation lines as served; print the CER of each set and of the unseen writers."""
    from ketav_basemodel import tune as tuning
    from ketav_engine import models
    from ketav_engine.recognition import language_model

    loaded, words = models.load(model.read_bytes()), language_model.read(language)
    lines = tuning.validation_lines(MATERIAL, require_bench_data(), loaded.info.height)
    outputs = tuning.outputs(loaded, lines)
    for name, (greedy, beam) in tuning.compare(words, loaded.net.codec, outputs, lines).items():
        print(f"{name:16} {len(lines[name]):4} lines CER greedy {greedy:.4f} beam {beam:.4f}")
    by_writer = sorted(tuning.writer_rates(words, loaded.net.codec, outputs, lines).values())
    worst = by_writer[-(len(by_writer) // 10) :]
    median, tenth = statistics.median(by_writer), statistics.fmean(worst)
    print(f"{len(by_writer)} unseen writers: median CER {median:.4f}, mean of the worst tenth {tenth:.4f}")


def evaluate(
    model: Path = MODEL,
    language: Path = LANGUAGE,
    out: Path = Path("var/evaluation"),
    pictures: Annotated[
        Path | None, typer.Option(help="Folder for the two plots that show no real lines.")
    ] = None,
) -> None:
    """Read the lines of KETAV_BENCH_DATA, greedily and by beam search; write figures and plots."""
    from ketav_basemodel import evaluate as evaluation
    from ketav_basemodel import report
    from ketav_engine import models
    from ketav_engine.recognition import beam, language_model

    bench = require_bench_data()
    loaded = models.load(model.read_bytes())
    decoder = beam.BeamDecoder(beam.LanguageTables(language_model.read(language)), loaded.net.codec)
    pairs = {
        "greedy": evaluation.read_all(evaluation.make_line_reader(loaded), bench),
        "beam": evaluation.read_all(evaluation.make_line_reader(loaded, decoder), bench),
    }
    _write_figures(pairs, out, "figures")
    report.draw(pairs, out)
    if pictures is not None:
        for name in ("confusion", "reliability"):
            shutil.copyfile(out / f"{name}.png", pictures / f"evaluation-{name}.png")
    for folder, items in pairs["beam"].items():
        print(folder, " ".join(f"{a or '∅'}→{b or '∅'}:{n}" for a, b, n in evaluation.confusions(items)))


def traditions(model: Path = MODEL, language: Path = LANGUAGE, out: Path = Path("var/evaluation")) -> None:
    """Read lines and pages in Sephardic and Ashkenazi fonts; write the figures. No real scribe is read."""
    import hashlib

    from ketav_basemodel import evaluate as evaluation
    from ketav_basemodel import traditions as synthetic
    from ketav_engine.engines import make_engine

    engine, content = make_engine("kraken", language), model.read_bytes()
    loaded = engine.load_model(content, hashlib.sha256(content).hexdigest())
    results = {"beam": synthetic.measure(engine, loaded, MATERIAL)}
    out.mkdir(parents=True, exist_ok=True)
    text = json.dumps(evaluation.as_json(results), indent=1, ensure_ascii=False)
    (out / "traditions.json").write_text(text + "\n", encoding="utf-8")
    (out / "traditions.md").write_text(evaluation.as_markdown(results), encoding="utf-8")
    print(evaluation.as_markdown(results))


def peers(
    model: Path = MODEL,
    language: Path = LANGUAGE,
    out: Path = Path("var/evaluation"),
    lines: Annotated[int, typer.Option(help="Lines of each folder, evenly thinned; 0 for all.")] = 100,
    other: Annotated[
        list[str] | None, typer.Option(help="NAME=FILE of another model, which is decoded greedily.")
    ] = None,
) -> None:
    """Read the same lines with our model, Tesseract 5 (if installed) and models trained by other recipes."""
    from ketav_basemodel import evaluate as evaluation
    from ketav_basemodel import peers as other_readers
    from ketav_engine import models
    from ketav_engine.recognition import beam, language_model

    bench = require_bench_data()
    loaded = models.load(model.read_bytes())
    decoder = beam.BeamDecoder(beam.LanguageTables(language_model.read(language)), loaded.net.codec)
    readers = {
        "ours, greedy": evaluation.make_line_reader(loaded),
        "ours, beam": evaluation.make_line_reader(loaded, decoder),
    }
    for argument in other or []:
        name, _, file = argument.partition("=")
        readers[name] = evaluation.make_line_reader(models.load(Path(file).read_bytes()))
    if version := other_readers.tesseract_version():
        readers[f"Tesseract {version}"] = other_readers.read_with_tesseract
    else:
        print("Tesseract with Hebrew is not installed. Run apt-get install tesseract-ocr tesseract-ocr-heb.")
    pairs = {name: evaluation.read_all(read, bench, lines) for name, read in readers.items()}
    _write_figures(pairs, out, "peers")


def kraken_recipe(
    lines: Annotated[Path, typer.Argument(help="Folder of shards (.npz) that our own recipe trains on.")],
    to: Path = Path("var/evaluation/kraken.safetensors"),
    minutes: float = 5.0,
) -> None:
    """Train with the defaults of `ketos train` on given lines for some minutes of one core."""
    from ketav_basemodel.peers import train_with_kraken_defaults

    print(train_with_kraken_defaults(sorted(lines.glob("*.npz")), to, minutes))


def require_bench_data() -> Path:
    """Return the folder of KETAV_BENCH_DATA; without one, print what to set and end with status 1."""
    try:
        return bench_data()
    except NoBenchDataError as error:
        typer.echo(f"Skipped: {error}", err=True)
        raise typer.Exit(1) from error


def _write_figures(pairs: Mapping[str, Pairs], out: Path, name: str) -> None:
    """Write the figures of each reader as JSON and Markdown, and print them."""
    from ketav_basemodel import evaluate as evaluation

    results = {
        reader: [evaluation.figures(folder, items) for folder, items in folders.items()]
        for reader, folders in pairs.items()
    }
    out.mkdir(parents=True, exist_ok=True)
    text = json.dumps(evaluation.as_json(results), indent=1, ensure_ascii=False)
    (out / f"{name}.json").write_text(text + "\n", encoding="utf-8")
    (out / f"{name}.md").write_text(evaluation.as_markdown(results), encoding="utf-8")
    print(evaluation.as_markdown(results))
