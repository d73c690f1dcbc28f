//! Model folders: both naming schemes, every dtype, shards, and the faults a folder can have.

mod common;

use coldstart_engine::{Model, Precision, SaveDtype};
use common::*;
use safetensors::tensor::{Dtype, TensorView};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::Path;
use tempfile::{TempDir, tempdir};

/// Name, shape and values of every tensor.
type Tensors = BTreeMap<String, (Vec<usize>, Vec<f64>)>;

fn tensors(model: &Model) -> Tensors {
    let read = |name: &str| flat(&model.params().hub_value(name).unwrap());
    model.params().parts().map(|p| (p.name.to_string(), (p.shape.to_vec(), read(p.name)))).collect()
}

fn encode(dtype: Dtype, values: &[f64]) -> Vec<u8> {
    let bytes = |x: &f64| match dtype {
        Dtype::F64 => x.to_le_bytes().to_vec(),
        Dtype::F16 => half::f16::from_f64(*x).to_le_bytes().to_vec(),
        Dtype::BF16 => half::bf16::from_f64(*x).to_le_bytes().to_vec(),
        _ => (*x as f32).to_le_bytes().to_vec(),
    };
    values.iter().flat_map(bytes).collect()
}

fn write(path: &Path, tensors: &Tensors, dtype: Dtype) {
    let data: Vec<_> = tensors.iter().map(|(name, (shape, v))| (name, shape, encode(dtype, v))).collect();
    let views =
        data.iter().map(|(name, shape, bytes)| (*name, TensorView::new(dtype, (*shape).clone(), bytes).unwrap()));
    std::fs::write(path, safetensors::serialize(views, None).unwrap()).unwrap();
}

/// A folder with the given configuration and, in one file, the given tensors.
fn folder(config: &Value, tensors: &Tensors, dtype: Dtype) -> TempDir {
    let dir = tempdir().unwrap();
    std::fs::write(dir.path().join("config.json"), config.to_string()).unwrap();
    write(&dir.path().join("model.safetensors"), tensors, dtype);
    dir
}

fn refusal(dir: &TempDir) -> (&'static str, String) {
    let error = Model::load(dir.path(), Precision::F32).err().expect("the folder should be refused");
    (error.code(), error.to_string())
}

#[test]
fn a_saved_model_loads_with_the_same_bits_whole_or_in_shards() {
    for tied in [true, false] {
        let model = model(tied, 1, Precision::F32);
        for shard in [u64::MAX, 4_000, 1] {
            let dir = tempdir().unwrap();
            model.save_sharded(dir.path(), SaveDtype::Float32, shard).unwrap();
            let sharded = dir.path().join("model.safetensors.index.json").exists();
            assert_eq!(sharded, shard != u64::MAX);
            assert_eq!(tensors(&Model::load(dir.path(), Precision::F32).unwrap()), tensors(&model));
        }
    }
}

#[test]
fn shards_stay_within_their_size_and_the_index_names_every_tensor_and_the_total() {
    let model = model(false, 1, Precision::F32);
    let dir = tempdir().unwrap();
    model.save_sharded(dir.path(), SaveDtype::Bfloat16, 20_000).unwrap();
    let index: Value =
        serde_json::from_slice(&std::fs::read(dir.path().join("model.safetensors.index.json")).unwrap()).unwrap();
    let total: usize = model.params().counts().iter().map(|c| c.total).sum();
    assert_eq!(index["metadata"]["total_size"], json!(2 * total));
    assert_eq!(index["weight_map"].as_object().unwrap().len(), model.params().parts().count());
    for name in index["weight_map"].as_object().unwrap().values() {
        let bytes = std::fs::read(dir.path().join(name.as_str().unwrap())).unwrap();
        let (header, _) = safetensors::SafeTensors::read_metadata(&bytes).unwrap();
        assert!(bytes.len() - header - 8 <= 20_000);
        assert_eq!(header % 8, 0);
    }
}

#[test]
fn saving_replaces_the_other_form_of_the_weights() {
    let dir = tempdir().unwrap();
    let (first, second) = (model(true, 1, Precision::F32), model(true, 2, Precision::F32));
    first.save(dir.path(), SaveDtype::Float32).unwrap();
    second.save_sharded(dir.path(), SaveDtype::Float32, 4_000).unwrap();
    assert_eq!(tensors(&Model::load(dir.path(), Precision::F32).unwrap()), tensors(&second));
    first.save(dir.path(), SaveDtype::Float32).unwrap();
    assert_eq!(tensors(&Model::load(dir.path(), Precision::F32).unwrap()), tensors(&first));
}

#[test]
fn saving_removes_the_shards_of_the_index_before_and_no_other_file() {
    let dir = tempdir().unwrap();
    let model = model(true, 1, Precision::F32);
    let names = || {
        let entries =
            std::fs::read_dir(dir.path()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<String> = entries.collect();
        names.sort();
        names
    };
    model.save_sharded(dir.path(), SaveDtype::Float32, 4_000).unwrap();
    let many = names().len();
    std::fs::write(dir.path().join("other.safetensors"), b"").unwrap();
    // An index may name anything; what is not a weight file of this folder stays.
    let index = dir.path().join("model.safetensors.index.json");
    let mut json: Value = serde_json::from_slice(&std::fs::read(&index).unwrap()).unwrap();
    json["weight_map"]["a"] = json!("config.json");
    json["weight_map"]["b"] = json!("../outside.safetensors");
    std::fs::write(&index, json.to_string()).unwrap();
    model.save_sharded(dir.path(), SaveDtype::Float32, 20_000).unwrap();
    let fewer = names();
    assert!(fewer.len() < many && fewer.contains(&"config.json".to_string()), "{fewer:?}");
    assert_eq!(tensors(&Model::load(dir.path(), Precision::F32).unwrap()), tensors(&model));
    model.save(dir.path(), SaveDtype::Float32).unwrap();
    assert_eq!(names(), ["config.json", "model.safetensors", "other.safetensors"]);
}

#[test]
fn a_value_that_the_saved_type_cannot_hold_is_refused_before_anything_is_written() {
    let name = "model.layers.1.mlp.up_proj.weight";
    // Half way between the largest bf16 and infinity, which rounds to infinity, and the number before, which does not.
    let tie = f32::from_bits(0x7f7f_8000);
    let refused = [
        (Precision::F32, f64::from(tie), SaveDtype::Bfloat16),
        (Precision::F32, f64::from(-f32::MAX), SaveDtype::Bfloat16),
        (Precision::F64, 1e300, SaveDtype::Float32),
    ];
    let allowed = [
        (Precision::F32, f64::from(tie.next_down()), SaveDtype::Bfloat16),
        (Precision::F32, f64::from(f32::MAX), SaveDtype::Float32),
    ];
    let save = |(precision, value, dtype): (Precision, f64, SaveDtype)| {
        let model = model(true, 1, precision);
        let part = model.params().find(name).unwrap();
        let cols = model.params().value(part.id).dims()[1];
        write_value(model.params().value(part.id), part.rows.start * cols + 3, value);
        let dir = tempdir().unwrap();
        let folder = dir.path().join("saved");
        (model.save(&folder, dtype), folder.exists(), Model::load(&folder, precision).is_ok())
    };
    for case in refused {
        let (result, exists, _) = save(case);
        let error = result.unwrap_err();
        assert_eq!(error.code(), "E_WEIGHTS");
        let expected = format!("{name}: element 3: expected a finite number in {}, got ", case.2.name());
        assert!(error.to_string().starts_with(&expected), "{error}");
        assert!(!exists);
    }
    for case in allowed {
        let (result, _, loads) = save(case);
        assert!(result.is_ok() && loads, "{case:?}");
    }
}

#[test]
fn saving_in_bf16_rounds_each_value_to_nearest_even_and_says_so_in_the_config() {
    let model = model(true, 3, Precision::F32);
    let dir = tempdir().unwrap();
    model.save(dir.path(), SaveDtype::Bfloat16).unwrap();
    let loaded = tensors(&Model::load(dir.path(), Precision::F32).unwrap());
    for (name, (_, values)) in tensors(&model) {
        for (x, y) in values.iter().zip(&loaded[&name].1) {
            assert_eq!(half::bf16::from_f32(*x as f32).to_f64(), *y, "{name}");
        }
    }
    let config: Value = serde_json::from_slice(&std::fs::read(dir.path().join("config.json")).unwrap()).unwrap();
    let mut expected = config_json(true);
    expected["torch_dtype"] = json!("bfloat16");
    assert_eq!(config, expected);
}

#[test]
fn every_dtype_loads_with_its_rounding() {
    let original = tensors(&model(true, 4, Precision::F64));
    for dtype in [Dtype::F64, Dtype::F32, Dtype::F16, Dtype::BF16] {
        let dir = folder(&config_json(true), &original, dtype);
        let loaded = tensors(&Model::load(dir.path(), Precision::F64).unwrap());
        for (name, (_, values)) in &original {
            let rounded: Vec<f64> = values
                .iter()
                .map(|&x| match dtype {
                    Dtype::F64 => x,
                    Dtype::F16 => half::f16::from_f64(x).to_f64(),
                    Dtype::BF16 => half::bf16::from_f64(x).to_f64(),
                    _ => f64::from(x as f32),
                })
                .collect();
            assert_eq!(loaded[name].1, rounded, "{name} as {dtype:?}");
        }
    }
}

#[test]
fn both_naming_schemes_load_equal() {
    let hub = tensors(&model(false, 5, Precision::F32));
    let renamed = |name: &String| match name.strip_prefix("model.") {
        Some(rest) => format!("model.language_model.{rest}"),
        None if name.starts_with("visual.") => format!("model.{name}"),
        None => name.clone(),
    };
    let memory: Tensors = hub.iter().map(|(name, tensor)| (renamed(name), tensor.clone())).collect();
    assert!(memory.contains_key("model.visual.merger.ln_q.weight"));
    let load =
        |t: &Tensors| tensors(&Model::load(folder(&config_json(false), t, Dtype::F32).path(), Precision::F32).unwrap());
    assert_eq!(load(&memory), load(&hub));
}

#[test]
fn a_redundant_head_of_a_tied_model_is_ignored_when_equal_and_refused_when_not() {
    let mut with_head = tensors(&model(true, 6, Precision::F32));
    with_head.insert("lm_head.weight".into(), with_head["model.embed_tokens.weight"].clone());
    Model::load(folder(&config_json(true), &with_head, Dtype::F32).path(), Precision::F32).unwrap();
    with_head.get_mut("lm_head.weight").unwrap().1[0] += 1.0;
    let (code, message) = refusal(&folder(&config_json(true), &with_head, Dtype::F32));
    assert!(code == "E_WEIGHTS" && message.contains("lm_head.weight"), "{message}");
}

#[test]
fn missing_superfluous_misshaped_and_non_finite_tensors_are_named_with_their_file() {
    let good = tensors(&model(true, 7, Precision::F32));
    let name = "model.layers.1.mlp.up_proj.weight";
    let check = |change: &dyn Fn(&mut Tensors), expected: &str| {
        let mut tensors = good.clone();
        change(&mut tensors);
        let (code, message) = refusal(&folder(&config_json(true), &tensors, Dtype::F32));
        assert_eq!(code, "E_WEIGHTS");
        assert!(message.contains(expected) && message.contains("model.safetensors"), "{expected}: {message}");
    };
    check(&|t| drop(t.remove(name)), &format!("missing {name}"));
    check(&|t| drop(t.insert("model.extra".into(), (vec![1], vec![0.0]))), "not part of this model: model.extra");
    check(&|t| t.get_mut(name).unwrap().0.reverse(), "expected shape [20, 24] in BF16, F16, F32 or F64, got [24, 20]");
    check(&|t| t.get_mut(name).unwrap().1[3] = f64::NAN, &format!("{name} in "));
    check(&|t| t.get_mut(name).unwrap().1[3] = f64::INFINITY, "element 3: expected a finite number, got inf");
    let twice =
        |t: &mut Tensors| drop(t.insert("model.language_model.norm.weight".into(), t["model.norm.weight"].clone()));
    check(&twice, "the same tensor as");
}

#[test]
fn a_damaged_file_is_refused_without_reading_its_tensors() {
    let good = tensors(&model(true, 8, Precision::F32));
    let damage = |change: &dyn Fn(&mut Vec<u8>), expected: &str| {
        let dir = folder(&config_json(true), &good, Dtype::F32);
        let path = dir.path().join("model.safetensors");
        let mut bytes = std::fs::read(&path).unwrap();
        change(&mut bytes);
        std::fs::write(&path, bytes).unwrap();
        let (code, message) = refusal(&dir);
        assert!(code == "E_WEIGHTS" && message.contains(expected), "{expected}: {message}");
    };
    damage(&|b| b.truncate(5), "expected a safetensors header, got 5 bytes");
    damage(&|b| b.truncate(b.len() - 1), "bytes as the header says");
    damage(&|b| b.push(0), "bytes as the header says");
    damage(&|b| b[..8].copy_from_slice(&u64::MAX.to_le_bytes()), "expected a header of at most");
    damage(&|b| b[9] = 0xff, "the header is not valid");
    // An offset that makes two tensors overlap.
    damage(
        &|b| {
            let at = b.windows(16).position(|w| w == b"\"data_offsets\":[").unwrap() + 16;
            b[at] = b'1';
        },
        "the header is not valid",
    );
}

/// A thousand changes of one to four bytes in length and header: each is refused with a code, or changed nothing that matters.
#[test]
fn no_change_of_a_header_panics() {
    let good = tensors(&model(true, 12, Precision::F32));
    let dir = folder(&config_json(true), &good, Dtype::F32);
    let path = dir.path().join("model.safetensors");
    let original = std::fs::read(&path).unwrap();
    let header = 8 + u64::from_le_bytes(original[..8].try_into().unwrap()) as usize;
    let key = coldstart_kernels::rng::Key::new(13, coldstart_kernels::rng::Purpose::Sample);
    let mut refused = 0;
    for round in 0..1000 {
        let mut bytes = original.clone();
        for change in 0..1 + round % 4 {
            let draw = |token| key.uniform(round, u64::from(change), token);
            let at = (draw(0) * header as f64) as usize;
            // Digits and JSON punctuation reach deeper than random bytes.
            let alphabet = b"0123456789[]{},:\"\\ -e\0\xff";
            bytes[at] = alphabet[(draw(1) * alphabet.len() as f64) as usize];
        }
        std::fs::write(&path, bytes).unwrap();
        match Model::load(dir.path(), Precision::F32) {
            Ok(loaded) => assert_eq!(tensors(&loaded).len(), good.len()),
            Err(error) => {
                refused += 1;
                assert_eq!(error.code(), "E_WEIGHTS", "{error}");
            }
        }
    }
    assert!(refused > 800, "only {refused} of 1000 changes were noticed");
}

#[test]
fn an_index_that_leaves_the_folder_is_refused() {
    let model = model(true, 9, Precision::F32);
    for name in
        ["../model.safetensors", "/etc/passwd", "a/b.safetensors", "..", "", "C:model.safetensors", "a\\b", "a\0b"]
    {
        let dir = tempdir().unwrap();
        model.save_sharded(dir.path(), SaveDtype::Float32, 4_000).unwrap();
        let path = dir.path().join("model.safetensors.index.json");
        let mut index: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
        index["weight_map"]["model.norm.weight"] = json!(name);
        std::fs::write(&path, index.to_string()).unwrap();
        assert_eq!(refusal(&dir).0, "E_MODEL_UNSAFE", "{name:?}");
    }
}

#[cfg(unix)]
#[test]
fn a_link_out_of_the_folder_is_refused_but_a_download_cache_is_read() {
    let model = model(true, 10, Precision::F32);
    let root = tempdir().unwrap();
    let (blobs, snapshot, plain) =
        (root.path().join("m/blobs"), root.path().join("m/snapshots/rev"), root.path().join("plain"));
    model.save(&blobs, SaveDtype::Float32).unwrap();
    for folder in [&snapshot, &plain] {
        std::fs::create_dir_all(folder).unwrap();
        for name in ["config.json", "model.safetensors"] {
            std::os::unix::fs::symlink(blobs.join(name), folder.join(name)).unwrap();
        }
    }
    assert_eq!(tensors(&Model::load(&snapshot, Precision::F32).unwrap()), tensors(&model));
    assert_eq!(Model::load(&plain, Precision::F32).err().unwrap().code(), "E_MODEL_UNSAFE");
}

#[test]
fn an_index_and_its_shards_must_agree() {
    let model = model(true, 11, Precision::F32);
    let check = |change: &dyn Fn(&mut Value), expected: &str| {
        let dir = tempdir().unwrap();
        model.save_sharded(dir.path(), SaveDtype::Float32, 4_000).unwrap();
        let path = dir.path().join("model.safetensors.index.json");
        let mut index: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
        change(&mut index);
        std::fs::write(&path, index.to_string()).unwrap();
        let (code, message) = refusal(&dir);
        assert!(code == "E_WEIGHTS" && message.contains(expected), "{expected}: {message}");
    };
    let drop_norm = |index: &mut Value| drop(index["weight_map"].as_object_mut().unwrap().remove("model.norm.weight"));
    check(&drop_norm, "model.norm.weight in ");
    let last = |index: &Value| index["weight_map"]["model.norm.weight"].clone();
    let move_first = |index: &mut Value| index["weight_map"]["visual.patch_embed.proj.weight"] = last(index);
    check(&move_first, "weight_map.visual.patch_embed.proj.weight: expected in ");
    check(&|index| index["weight_map"] = json!([]), "expected an object weight_map");
    check(&|index| index["weight_map"]["model.norm.weight"] = json!(3), "expected a file name, got 3");
}

#[test]
fn a_folder_without_weights_says_what_is_expected_and_pickle_is_refused() {
    let dir = tempdir().unwrap();
    std::fs::write(dir.path().join("config.json"), config_json(true).to_string()).unwrap();
    assert_eq!(refusal(&dir).0, "E_MODEL");
    std::fs::write(dir.path().join("pytorch_model.bin"), b"").unwrap();
    let (code, message) = refusal(&dir);
    assert!(code == "E_MODEL_UNSAFE" && message.contains("pytorch_model.bin"), "{message}");
    std::fs::remove_file(dir.path().join("config.json")).unwrap();
    assert_eq!(refusal(&dir).0, "E_MODEL");
}

#[test]
fn fresh_weights_depend_on_seed_and_name_alone() {
    let config = config(false);
    let init = |seed| tensors(&Model::init(&config, seed, Precision::F64).unwrap());
    assert_eq!(init(1), init(1));
    let (a, b) = (init(1), init(2));
    let name = "model.layers.0.self_attn.q_proj.weight";
    assert_ne!(a[name], b[name]);
    assert_ne!(a[name].1, a["model.layers.1.self_attn.q_proj.weight"].1);
    // A model with one layer draws the same numbers for it.
    let mut shallow = config_json(false);
    shallow["num_hidden_layers"] = json!(1);
    let shallow = coldstart_engine::ModelConfig::from_json(&shallow).unwrap();
    assert_eq!(tensors(&Model::init(&shallow, 1, Precision::F64).unwrap())[name], a[name]);
    let values: Vec<f64> = a.values().filter(|(shape, _)| shape.len() > 1).flat_map(|(_, v)| v.clone()).collect();
    let deviation = (values.iter().map(|x| x * x).sum::<f64>() / values.len() as f64).sqrt();
    assert!((deviation - 0.2).abs() < 0.01, "standard deviation {deviation} of {} values", values.len());
    assert!(a["model.norm.weight"].1.iter().all(|&x| x == 1.0));
    assert!(a["visual.blocks.0.attn.qkv.bias"].1.iter().all(|&x| x == 0.0));
}
