"""Verdicts of mathruler and math-verify on pairs read from stdin (JSON lines of gold and pred), for `npm run bench -- GRADE --peer PYTHON`.

Prints one JSON object: by grader the seconds it took and a verdict a pair, or {"absent": why} without the packages mathruler (with
pylatexenc) and math-verify. Imports and a first call are not timed. A pair that math-verify gives up on after its own limit of 5 s counts as
false.
"""
import json, logging, sys, time

out = sys.stdout; sys.stdout = sys.stderr
logging.disable(logging.CRITICAL)
try:
    from math_verify import parse, verify
    from mathruler.grader import grade_answer
except ImportError as missing:
    print(json.dumps(dict(absent=str(missing))), file=out)
    sys.exit()

pairs = [json.loads(line) for line in sys.stdin]


def mathruler(gold, pred): return bool(grade_answer(pred, gold))


def math_verify(gold, pred):
    boxed = lambda text: parse("\\boxed{" + text + "}")
    return bool(verify(boxed(gold), boxed(pred)))


def run(grade):
    grade("1", "2")
    begin = time.perf_counter()
    verdicts = [grade(pair["gold"], pair["pred"]) for pair in pairs]
    return dict(seconds=time.perf_counter() - begin, verdicts=verdicts)


print(json.dumps(dict(mathruler=run(mathruler), lenient=run(math_verify))), file=out)
