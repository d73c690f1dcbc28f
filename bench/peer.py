"""The same work in PyTorch + transformers, for `npm run bench -- --peer PYTHON`.

Reads one JSON request a line from stdin and answers with one JSON line {"seconds": ...} each; anything else goes to stderr. Needs
torch, transformers, pillow. Denormals are flushed and AdamW is the fused one: the better of what a careful user would run.
"""
import json, sys, time
import numpy as np, torch

out = sys.stdout; sys.stdout = sys.stderr
torch.set_flush_denormal(True)
state = {}
DTYPES = dict(float32=torch.float32, bfloat16=torch.bfloat16)


def timed(work):
    begin = time.perf_counter(); work(); return time.perf_counter() - begin


def setup(r):
    from transformers import Qwen2_5_VLConfig, Qwen2_5_VLForConditionalGeneration
    torch.set_num_threads(r["threads"]); torch.manual_seed(0)
    c = dict(r["config"]); vision = c.pop("vision_config"); ids = {k: c.pop(k) for k in list(c) if k.endswith("_token_id")}
    for key in ("architectures", "model_type", "torch_dtype"): c.pop(key)
    section = c.pop("rope_scaling")["mrope_section"]; theta = c.pop("rope_theta")
    text = dict(c, rope_scaling=dict(type="mrope", mrope_section=section, rope_theta=theta), rope_theta=theta)
    config = Qwen2_5_VLConfig(text_config=text, vision_config=vision, tie_word_embeddings=True, **ids); config._attn_implementation = "sdpa"
    model = Qwen2_5_VLForConditionalGeneration(config).to(DTYPES[r["dtype"]])
    state.update(model=model, config=r["config"], optimizer=torch.optim.AdamW(model.parameters(), lr=1e-5, betas=(.9, .95), weight_decay=.1, fused=True))
    return dict(parameters=sum(p.numel() for p in model.parameters()))


def inputs(r):
    ids = torch.tensor(r["ids"]); image = state["config"]["image_token_id"]
    extra = {}
    if r.get("pixels"):
        pixels = torch.from_numpy(np.fromfile(r["pixels"], np.float32).reshape(-1, 1176)).to(state["model"].dtype)
        extra = dict(pixel_values=pixels, image_grid_thw=torch.tensor(r["grids"]))
    return ids, dict(mm_token_type_ids=(ids == image).int(), **extra)


def sft(r):
    model, optimizer = state["model"], state["optimizer"]
    ids, extra = inputs(r); labels = ids.masked_fill(ids == state["config"]["image_token_id"], -100)
    def step():
        loss = model(input_ids=ids, labels=labels, use_cache=False, **extra).loss
        optimizer.zero_grad(); loss.backward(); torch.nn.utils.clip_grad_norm_(model.parameters(), 1.); optimizer.step()
    return dict(seconds=timed(step))


@torch.no_grad()
def generate(ids, extra, new):
    model, config = state["model"], state["config"]
    # A sampled image token would count as an image that is not there.
    vision = [config[name] for name in ("image_token_id", "video_token_id", "vision_start_token_id", "vision_end_token_id")]
    return model.generate(suppress_tokens=vision, input_ids=ids, attention_mask=torch.ones_like(ids), do_sample=True, temperature=1.0, top_k=0, max_new_tokens=new, min_new_tokens=new, pad_token_id=0, **extra)


def decode(r):
    ids, extra = inputs(r); short = timed(lambda: generate(ids, extra, 2)); long = timed(lambda: generate(ids, extra, r["new"]))
    return dict(seconds=long - short)


def grpo(r):
    model, optimizer = state["model"], state["optimizer"]
    def repeat(x): return x.repeat_interleave(r["samples"], 0)
    ids, extra = inputs(r); P = ids.shape[1]; ids = repeat(ids); extra = {k: repeat(v) if k != "pixel_values" else v.view(len(r["ids"]), -1, 1176).repeat_interleave(r["samples"], 0).flatten(0, 1) for k, v in extra.items()}
    parts = {}
    def step():
        parts["rollout"] = timed(lambda: parts.update(full=generate(ids, extra, r["new"])))
        full = parts.pop("full"); types = torch.zeros_like(full, dtype=torch.int); types[:, :P] = extra["mm_token_type_ids"]
        rest = {k: v for k, v in extra.items() if k != "mm_token_type_ids"}
        logits = model(input_ids=full, mm_token_type_ids=types, use_cache=False, **rest).logits[:, P - 1:-1].float()
        logp = torch.log_softmax(logits, -1).gather(-1, full[:, P:, None])[..., 0]
        advantage = torch.linspace(-1, 1, len(full))[:, None]
        loss = -(advantage * torch.exp(logp - logp.detach())).mean()
        optimizer.zero_grad(); loss.backward(); torch.nn.utils.clip_grad_norm_(model.parameters(), 1.); optimizer.step()
    return dict(seconds=timed(step), **parts)


def matmul(r):
    torch.set_num_threads(r["threads"]); dtype = DTYPES[r["dtype"]]; m, k, n = r["m"], r["k"], r["n"]
    x, w, dy = torch.randn(m, k).to(dtype), torch.randn(n, k).to(dtype), torch.randn(m, n).to(dtype)
    work = dict(forward=lambda: x @ w.T, dx=lambda: dy @ w, dw=lambda: dy.T @ x)[r["kind"]]
    work(); work()
    return dict(seconds=min(timed(work) for _ in range(r.get("repeats", 5))))


def preprocess(r):
    if "processor" not in state:
        from transformers import Qwen2VLImageProcessor
        try:
            from transformers import Qwen2VLImageProcessorPil as Processor
        except ImportError:
            Processor = Qwen2VLImageProcessor
        state["processor"] = Processor(min_pixels=3136, max_pixels=r["max_pixels"])
    from PIL import Image
    torch.set_num_threads(1)
    def work(): state["processor"](images=[Image.open(r["file"]).convert("RGB")], return_tensors="np")
    work(); return dict(seconds=min(timed(work) for _ in range(3)))


for line in sys.stdin:
    request = json.loads(line)
    try:
        answer = globals()[request["op"]](request)
    except Exception as error:  # the benchmark reports it and goes on without this peer
        import traceback; traceback.print_exc(); answer = dict(error=f"{type(error).__name__}: {error}")
    out.write(json.dumps(answer) + "\n"); out.flush()
