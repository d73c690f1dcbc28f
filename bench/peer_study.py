"""The miniature study in PyTorch + transformers, for `npm run bench -- STUDY --peer PYTHON`.

usage: study.py DIGITS_DIR [--seed 0] [--rl-steps 150] [--threads 2] [--out study.json]
DIGITS_DIR holds x.bin (N x 784 bytes) and y.bin (N bytes), written by study.mjs beside this file.
Needs torch and transformers (5.x). Prints one line a stage and a JSON summary: accuracies and seconds, float32, CPU.
"""
import argparse, copy, json, random, re, time
import numpy as np, torch
from transformers import Qwen2_5_VLConfig, Qwen2_5_VLForConditionalGeneration

ap = argparse.ArgumentParser(); ap.add_argument("digits"); ap.add_argument("--seed", type=int, default=0); ap.add_argument("--rl-steps", type=int, default=150)
ap.add_argument("--threads", type=int, default=2); ap.add_argument("--base-steps", type=int, default=1800); ap.add_argument("--sft-steps", type=int, default=400); ap.add_argument("--sft-examples", type=int, default=64)
ap.add_argument("--out"); A = ap.parse_args()
torch.manual_seed(A.seed); torch.set_num_threads(A.threads); torch.set_flush_denormal(True)
X = np.fromfile(A.digits + "/x.bin", np.uint8).reshape(-1, 28, 28); Y = np.fromfile(A.digits + "/y.bin", np.uint8)
order = np.random.RandomState(0).permutation(len(X)); TRAIN, TEST = order[:9000], order[9000:]
WORDS = "<pad> <eos> <img> <vs> <ve> <u> <a> 0 1 2 3 4 5 6 7 8 9 + = ; , . sum read the digits are box{ } ? what is max first count so answer".split()
ID = {w: i for i, w in enumerate(WORDS)}; PAD, EOS, IMG, VS, VE = (ID[w] for w in "<pad> <eos> <img> <vs> <ve>".split()); BANNED = [PAD, IMG, VS, VE]
text = dict(hidden_size=128, intermediate_size=384, num_hidden_layers=4, num_attention_heads=4, num_key_value_heads=2, vocab_size=64, tie_word_embeddings=True, rope_scaling=dict(type="mrope", mrope_section=[4, 6, 6]), max_position_embeddings=512)
vision = dict(depth=3, hidden_size=96, intermediate_size=192, num_heads=3, out_hidden_size=128, fullatt_block_indexes=[2], window_size=112, hidden_act="silu")
cfg = Qwen2_5_VLConfig(text_config=text, vision_config=vision, tie_word_embeddings=True, image_token_id=IMG, video_token_id=60, vision_start_token_id=VS, vision_end_token_id=VE); cfg._attn_implementation = "sdpa"
model = Qwen2_5_VLForConditionalGeneration(cfg)

def patches(img):
    h, w = img.shape; x = np.stack([(img / 255.0 - 0.13) / 0.31] * 3); x = np.stack([x, x], 0)
    return torch.tensor(x.reshape(1, 2, 3, h // 28, 2, 14, w // 28, 2, 14).transpose(0, 3, 6, 4, 7, 2, 1, 5, 8).reshape((h // 14) * (w // 14), -1), dtype=torch.float32)
def num(n): return list(str(n))
def chain(d):
    acc, out = d[0], []
    for x in d[1:]: out += num(acc) + ["+", str(x), "="] + num(acc + x) + [";"]; acc += x
    return out
def commas(d): return [c for x in d for c in (str(x), ",")][:-1]
def image_example(kind, split, rng, k=None):
    k = k or rng.randint(2, 4); idx = [int(rng.choice(split)) for _ in range(k)]; d = [int(Y[i]) for i in idx]; s = str(sum(d))
    q = "read the digits ?" if kind == "read" else "what is the sum ?"
    a = [str(x) for x in d] if kind == "read" else "the digits are".split() + commas(d) + ["."] + chain(d) + ["box{"] + num(s) + ["}"]
    return dict(ids=[ID["<u>"], VS] + [IMG] * k + [VE] + [ID[w] for w in q.split()] + [ID["<a>"]], ans=[ID[w] for w in a] + [EOS], px=patches(np.concatenate([X[i] for i in idx], 1)), grid=[1, 2, 2 * k], gold=s)
def text_example(rng):
    if rng.random() < 0.6:
        d = [rng.randint(0, 9) for _ in range(rng.randint(2, 4))]; q, a = ["count"] + commas(d), chain(d)
    else:
        x, y = rng.randint(0, 30), rng.randint(0, 9); q, a = num(x) + ["+", str(y), "="], num(x + y)
    return dict(ids=[ID["<u>"]] + [ID[w] for w in q] + [ID["<a>"]], ans=[ID[w] for w in a] + [EOS], px=None, grid=None)
def forward(batch):
    seqs = [b["ids"] + b["ans"] for b in batch]; L = max(map(len, seqs)); x = torch.full((len(seqs), L), PAD); am = torch.zeros(len(seqs), L, dtype=torch.long); lab = torch.full((len(seqs), L), -100)
    for i, (b, s) in enumerate(zip(batch, seqs)):
        x[i, :len(s)] = torch.tensor(s); am[i, :len(s)] = 1; lab[i, len(b["ids"]):len(s)] = torch.tensor(b["ans"])
    p = [b for b in batch if b["px"] is not None]
    kw = dict(pixel_values=torch.cat([b["px"] for b in p]), image_grid_thw=torch.tensor([b["grid"] for b in p])) if p else {}
    return lab, model(input_ids=x, attention_mask=am, mm_token_type_ids=(x == IMG).int(), use_cache=False, **kw).logits
def ban(z): z = z.clone(); z[..., BANNED] = -1e9; z[..., len(WORDS):] = -1e9; return z
def sft(make, steps, lr):
    opt = torch.optim.AdamW(model.parameters(), lr=lr, betas=(.9, .95), weight_decay=.05, fused=True)
    for s in range(steps):
        for g in opt.param_groups: g["lr"] = lr * min(1, (s + 1) / 20) * (0.1 + 0.9 * (1 - s / steps))
        lab, z = forward([make() for _ in range(32)]); loss = torch.nn.functional.cross_entropy(z[:, :-1].flatten(0, 1), lab[:, 1:].flatten(), ignore_index=-100)
        opt.zero_grad(); loss.backward(); torch.nn.utils.clip_grad_norm_(model.parameters(), 1.); opt.step()
@torch.no_grad()
def generate(batch, n=30, greedy=False):
    x = torch.tensor([b["ids"] for b in batch]); grid = torch.tensor([b["grid"] for b in batch]); mt = (x == IMG).int()
    pos, _ = model.model.get_rope_index(x, mm_token_type_ids=mt, image_grid_thw=grid)
    o = model(input_ids=x, mm_token_type_ids=mt, pixel_values=torch.cat([b["px"] for b in batch]), image_grid_thw=grid, position_ids=pos, use_cache=True); last, p = o.logits[:, -1], int(pos.max()) + 1
    out, done = [], torch.zeros(len(batch), dtype=torch.bool)
    for i in range(n):
        z = ban(last); nx = z.argmax(-1) if greedy else torch.multinomial(torch.softmax(z, -1), 1)[:, 0]
        nx = torch.where(done, torch.full_like(nx, PAD), nx); out.append(nx); done |= nx == EOS
        if done.all(): break
        o = model(input_ids=nx[:, None], position_ids=torch.full((3, len(batch), 1), p + i), past_key_values=o.past_key_values, use_cache=True); last = o.logits[:, -1]
    return [[t for t in (r[:r.index(EOS) + 1] if EOS in r else r) if t != PAD] for r in torch.stack(out, 1).tolist()]
def boxed(o):
    r = re.findall(r"box\{ ([0-9 ]*) \}", " ".join(WORDS[i] if i < len(WORDS) else "?" for i in o)); return r[-1].replace(" ", "") if r else None
def accuracy(n=400):
    rng = random.Random(77); b = [image_example("cot", TEST, rng, 3) for _ in range(n)]; return sum(boxed(o) == x["gold"] for o, x in zip(generate(b, greedy=True), b)) / n
def grpo(steps, P=16, G=8, lr=1e-4, warmup=10):
    opt = torch.optim.AdamW(model.parameters(), lr=lr, betas=(.9, .95), weight_decay=0., fused=True); rng = random.Random(100 + A.seed)
    for step in range(steps):
        for g in opt.param_groups: g["lr"] = lr * min(1, (step + 1) / warmup)
        prompts = [image_example("cot", TRAIN, rng, 3) for _ in range(P)]; b = [p for p in prompts for _ in range(G)]; o = generate(b)
        r = torch.tensor([float(boxed(x) == p["gold"]) for x, p in zip(o, b)]).view(P, G); adv = ((r - r.mean(1, keepdim=True)) / (r.std(1, keepdim=True) + 1e-6)).flatten()
        keep = [i for i in range(len(b)) if abs(float(adv[i])) > 1e-6]
        if not keep: continue
        lab, z = forward([dict(b[i], ans=o[i]) for i in keep]); lp = torch.log_softmax(ban(z[:, :-1]), -1); mask = lab[:, 1:] != -100
        t = lp.gather(-1, lab[:, 1:].clamp(min=0)[..., None])[..., 0]; loss = -(adv[keep][:, None] * torch.exp(t - t.detach()) * mask).sum() / sum(map(len, o))
        opt.zero_grad(); loss.backward(); torch.nn.utils.clip_grad_norm_(model.parameters(), 1.); opt.step()

rng, rows = random.Random(1 + A.seed), []
def stage(name, f):
    t = time.perf_counter(); f(); t = time.perf_counter() - t; e = time.perf_counter(); a = accuracy(); rows.append(dict(arm=name, accuracy=a, seconds=round(t, 1), eval_seconds=round(time.perf_counter() - e, 1))); print(rows[-1], flush=True)
stage("base", lambda: sft(lambda: image_example("read", TRAIN, rng) if rng.random() < .5 else text_example(rng), A.base_steps, 2e-3)); base = copy.deepcopy(model.state_dict())
stage("rl-only", lambda: grpo(100)); model.load_state_dict(base)
pool = [image_example("cot", TRAIN, random.Random(1000 * A.seed + i)) for i in range(A.sft_examples)]
stage("sft", lambda: sft(lambda: rng.choice(pool), A.sft_steps, 1e-3)); stage("sft+rl", lambda: grpo(A.rl_steps))
res = dict(seed=A.seed, threads=A.threads, arms=rows, seconds=round(sum(r["seconds"] + r["eval_seconds"] for r in rows), 1)); print(json.dumps(res))
if A.out: json.dump(res, open(A.out, "w"), indent=1)
